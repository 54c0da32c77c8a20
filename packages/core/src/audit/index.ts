export type { ChainOwner } from "./chain.ts";
export { type CheckedAudit, checkAudit, listChains } from "./check-audit.ts";
export { resignCheckpoints } from "./checkpoint.ts";
export { forgetInAudit, forgetPerson, type Forgotten } from "./forget-person.ts";
export { type AuditRow, type AuditSearch, listAuditEntries, searchAudit } from "./queries.ts";
export { type AuditFault, type VerifiedAudit, verifyAudit } from "./verify-audit.ts";
export { type AuditEntry, writeAudit, writeOperatorAudit } from "./write-audit.ts";
