import { updateOrganization } from "@sewa/core";
import type { OrganizationDto } from "../auth/dto.ts";
import { organizationSchema } from "../auth/schema.ts";
import { toOrganizationDto } from "../auth/to-dto.ts";
import { coreContext } from "../core-context.ts";
import { organizationProcedure } from "../trpc.ts";
import { updateOrganizationInput } from "./schema.ts";

export const organizationsRouter = {
  // It says how it shall be, so saying it twice changes nothing and no key is needed.
  update: organizationProcedure("organization.write")
    .input(updateOrganizationInput)
    .output(organizationSchema)
    .mutation(async ({ ctx, input }): Promise<OrganizationDto> =>
      toOrganizationDto(await updateOrganization(coreContext(ctx), input)),
    ),
};
