export { idempotencyHours, once, type OnceInput } from "./once.ts";
export { deleteExpiredRecords } from "./delete-expired.ts";
