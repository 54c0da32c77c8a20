import { getOffering, listOfferings } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { publicProcedure } from "../trpc.ts";
import type { OfferingDetailDto, OfferingPageDto } from "./dto.ts";
import { offeringDetailSchema, offeringInput, offeringPageSchema } from "./schema.ts";
import { toOfferingDetailDto, toOfferingDto } from "./to-dto.ts";

const catalogProcedure = publicProcedure.meta({ access: "public", permission: "catalog.read" });

export const offeringsRouter = {
  list: catalogProcedure
    .input(listInput)
    .output(offeringPageSchema)
    .query(async ({ ctx, input }): Promise<OfferingPageDto> =>
      toPageDto(await listOfferings(coreContext(ctx), input), toOfferingDto),
    ),

  get: catalogProcedure
    .input(offeringInput)
    .output(offeringDetailSchema)
    .query(async ({ ctx, input }): Promise<OfferingDetailDto> => {
      const core = coreContext(ctx);
      return toOfferingDetailDto(core, await getOffering(core, input.slug));
    }),
};
