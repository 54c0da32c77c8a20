export {
  type AuditCounts,
  type InventoryAuditRow,
  beginAudit,
  deleteOldInventory,
  failAudit,
  findFinishedAudit,
  finishAudit,
  getAudit,
  longestAuditMs,
  requestAudit,
} from "./audits.ts";
export { correctRows } from "./correct-rows.ts";
export { decideAction, type InventoryAction, type SeenFinding, sightingsToDelete } from "./decide-action.ts";
export { deriveFindings, type InventoryRows, isComparable, listUnjudged } from "./derive-findings.ts";
export {
  type Finding,
  type FindingAction,
  findingActions,
  type FindingDetails,
  type FindingKind,
  findingKinds,
  findingSeverities,
  type FindingSeverity,
  isOrphan,
  runningKinds,
} from "./finding.ts";
export { costPerDay, type InventoryRow, isGone, settleRows } from "./inventory-row.ts";
export { noteAction } from "./note-action.ts";
export {
  countReportedFindings,
  detailsOf,
  type FindingFilter,
  getFinding,
  getInventoryReport,
  type InventoryReport,
  listFindings,
} from "./queries.ts";
export { readInventoryRows } from "./read-rows.ts";
export { readWanted } from "./read-wanted.ts";
export { type FindingRow, type Look, type RecordedFinding, recordFindings, sightingMs } from "./record-findings.ts";
export {
  type ChangedObject,
  type Comparison,
  type InventoryWorld,
  noRequests,
  objectKey,
  type ObjectRef,
  type OwningHouse,
  type Requests,
  sumRequests,
  type WorldObject,
} from "./world.ts";
