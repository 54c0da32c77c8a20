export { type AuditRow, listAuditEntries } from "./queries.ts";
export { type AuditEntry, writeAudit, writeOperatorAudit } from "./write-audit.ts";
