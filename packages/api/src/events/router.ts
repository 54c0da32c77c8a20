import { listEvents } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { organizationProcedure } from "../trpc.ts";
import type { EventPageDto } from "./dto.ts";
import { eventPageSchema, listEventsInput } from "./schema.ts";
import { toEventDto } from "./to-dto.ts";

export const eventsRouter = {
  list: organizationProcedure("event.read")
    .input(listEventsInput)
    .output(eventPageSchema)
    .query(async ({ ctx, input: { instanceId, ...page } }): Promise<EventPageDto> => {
      const filter = instanceId === undefined ? {} : { instanceId: uuidOf("instance", instanceId) };
      return toPageDto(await listEvents(coreContext(ctx), { ...page, ...filter }), toEventDto);
    }),
};
