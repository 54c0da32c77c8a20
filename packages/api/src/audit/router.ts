import { listAuditEntries } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { AuditEntryPageDto } from "../events/dto.ts";
import { auditEntryPageSchema } from "./schema.ts";
import { toAuditEntryDto } from "./to-dto.ts";

export const auditRouter = {
  list: organizationProcedure("audit.read")
    .input(listInput)
    .output(auditEntryPageSchema)
    .query(async ({ ctx, input }): Promise<AuditEntryPageDto> =>
      toPageDto(await listAuditEntries(coreContext(ctx), input), toAuditEntryDto),
    ),
};
