import { organizations } from "@sewa/db/schema";
import { and, eq, isNotNull, isNull } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { refuseClosed } from "./organizations.ts";

/** Parked: its books are wrong, so no money moves and time ends nothing, until an operator has looked. Its apps run on. */
export interface Parking {
  readonly parkedAt: Date | null;
  readonly reason: string | null;
  /** Since when money can be taken again; null when it always could. */
  readonly unparkedAt: Date | null;
}

const locked = new WeakMap<Tx, Parking>();

/**
 * Of the organization that the transaction is bound to; stays so until that ends, so it is read once. Taken before the lock
 * of a subscription, like every lock of an organization.
 */
export async function lockParking(tx: Tx): Promise<Parking> {
  const known = locked.get(tx);
  if (known !== undefined) return known;
  const [row] = await tx.sql
    .select({ ...columns, closedAt: organizations.closedAt })
    .from(organizations)
    .where(own(tx))
    .for("share");
  assert(row !== undefined, "the organization of a transaction exists");
  const { closedAt, ...parking } = row;
  refuseClosed(tx, closedAt);
  locked.set(tx, parking);
  return parking;
}

/** For those who wait then, instead of refusing. */
export async function isParked(tx: Tx): Promise<boolean> {
  return (await lockParking(tx)).parkedAt !== null;
}

/** Throws ACCOUNT_PARKED. Asked by each verb through which money moves. */
export async function assertNotParked(tx: Tx): Promise<void> {
  if (!(await isParked(tx))) return;
  throw new DomainError(
    "ACCOUNT_PARKED",
    "Orders and payments are on hold while we check this account. Your apps run on.",
  );
}

/** False when it is parked already. The one writer, with `unparkOrganization`. */
export async function parkOrganization(tx: Tx, reason: string): Promise<boolean> {
  locked.delete(tx);
  const parked = await tx.sql
    .update(organizations)
    .set({ parkedAt: tx.now, parkedReason: reason })
    .where(and(own(tx), isNull(organizations.parkedAt)))
    .returning({ id: organizations.id });
  if (parked.length > 0) recordParking(tx, "organization.parked", reason);
  return parked.length > 0;
}

/** Answers how it was before; nothing changes when it is not parked. */
export async function unparkOrganization(tx: Tx, reason: string): Promise<Parking> {
  const [before] = await tx.sql.select(columns).from(organizations).where(own(tx)).for("no key update");
  assert(before !== undefined, "the organization of a transaction exists");
  if (before.parkedAt === null) return before;
  locked.delete(tx);
  await tx.sql.update(organizations).set({ parkedAt: null, parkedReason: null, unparkedAt: tx.now }).where(own(tx));
  recordParking(tx, "organization.unparked", reason);
  return before;
}

export async function countParked(ctx: CoreContext): Promise<number> {
  return ctx.db.drizzle.$count(organizations, isNotNull(organizations.parkedAt));
}

const columns = {
  parkedAt: organizations.parkedAt,
  reason: organizations.parkedReason,
  unparkedAt: organizations.unparkedAt,
};

function own(tx: Tx) {
  return eq(organizations.id, organizationOf(tx));
}

/** Its customer learns that it happened; why stands in the audit, for operators. */
function recordParking(tx: Tx, type: "organization.parked" | "organization.unparked", reason: string): void {
  record(tx, { type, subject: { type: "organization", id: organizationOf(tx) }, reason });
}
