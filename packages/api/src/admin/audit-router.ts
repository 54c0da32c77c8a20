import { searchAudit, verifyAudit } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { operatorProcedure } from "../trpc.ts";
import type { AdminAuditEntryPageDto, VerifiedAuditDto } from "./dto.ts";
import { adminAuditEntryPageSchema, searchAuditInput, verifiedAuditSchema, verifyAuditInput } from "./audit-schema.ts";
import { toAdminAuditEntryDto, toVerifiedAuditDto } from "./audit-to-dto.ts";

export const adminAuditRouter = {
  list: operatorProcedure("admin.audit.read")
    .input(searchAuditInput)
    .output(adminAuditEntryPageSchema)
    .query(async ({ ctx, input: { organizationId, actor, ...page } }): Promise<AdminAuditEntryPageDto> => {
      const search = {
        ...page,
        organizationId: organizationId === undefined ? undefined : uuidOf("organization", organizationId),
        actor: actor === undefined ? undefined : `${actor.type}:${uuidOf("user", actor.id)}`,
      };
      return toPageDto(await searchAudit(coreContext(ctx), search), toAdminAuditEntryDto);
    }),

  verify: operatorProcedure("admin.audit.verify")
    .input(verifyAuditInput)
    .output(verifiedAuditSchema)
    .query(async ({ ctx, input: { organizationId } }): Promise<VerifiedAuditDto> => {
      const owner = organizationId === undefined ? null : uuidOf("organization", organizationId);
      return toVerifiedAuditDto(await verifyAudit(coreContext(ctx), owner));
    }),
};
