import { getFinding, getInventoryReport, listFindings, requestAudit } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { nothing } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import type { InventoryAuditDto, InventoryFindingDto, InventoryFindingPageDto, InventoryReportDto } from "./dto.ts";
import {
  inventoryAuditSchema,
  inventoryFindingInput,
  inventoryFindingPageSchema,
  inventoryFindingSchema,
  inventoryReportInput,
  inventoryReportSchema,
  listInventoryInput,
} from "./inventory-schema.ts";
import { toAuditDto, toFindingDto, toReportDto } from "./inventory-to-dto.ts";

export const inventoryRouter = {
  // One audit waits at most, and asking again answers with that one, so no key is needed. Follow it with `report`.
  audit: operatorProcedure("admin.inventory.audit")
    .input(nothing)
    .output(inventoryAuditSchema)
    .mutation(async ({ ctx }): Promise<InventoryAuditDto> => toAuditDto(await requestAudit(coreContext(ctx)))),

  report: operatorProcedure("admin.inventory.read")
    .input(inventoryReportInput)
    .output(inventoryReportSchema)
    .query(async ({ ctx, input: { auditId } }): Promise<InventoryReportDto> =>
      toReportDto(
        await getInventoryReport(coreContext(ctx), auditId === undefined ? undefined : uuidOf("audit", auditId)),
      ),
    ),

  list: operatorProcedure("admin.inventory.read")
    .input(listInventoryInput)
    .output(inventoryFindingPageSchema)
    .query(async ({ ctx, input }): Promise<InventoryFindingPageDto> =>
      toPageDto(await listFindings(coreContext(ctx), input), toFindingDto),
    ),

  get: operatorProcedure("admin.inventory.read")
    .input(inventoryFindingInput)
    .output(inventoryFindingSchema)
    .query(async ({ ctx, input: { findingId } }): Promise<InventoryFindingDto> =>
      toFindingDto(await getFinding(coreContext(ctx), uuidOf("finding", findingId))),
    ),
};
