import { databaseErrorOf } from "@sewa/db";
import type { freePlaces, trials } from "@sewa/db/schema";
import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import { getBillingContact } from "../accounts/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import type { DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";

/** What a person has once for each app, and where that is written down. */
export interface OncePerPerson {
  readonly table: typeof trials | typeof freePlaces;
  /** Of the two unique indexes: for an organization, and for the mailbox of its owner. */
  readonly keys: readonly string[];
  /** Whether somebody with this mailbox has it, for whichever organization: behind the fence, so a door answers. */
  readonly isTaken: (offeringId: string, emailHash: string) => SQL;
  readonly refusal: () => DomainError;
}

/** Throws the refusal when the organization, or another one of the same owner, has it. */
export async function refuseSecond(
  tx: Tx,
  { table, isTaken, refusal }: OncePerPerson,
  offeringId: string,
): Promise<void> {
  const own = and(
    eq(table.organizationId, organizationOf(tx)),
    eq(table.offeringId, offeringId),
    isNull(table.returnedAt),
  );
  const [known] = await tx.sql.execute<{ taken: boolean }>(
    sql`select exists (select 1 from ${table} where ${own}) or ${isTaken(offeringId, await hashOwner(tx))} as taken`,
  );
  if (known?.taken === true) throw refusal();
}

/** Of many orders at once, for whichever organizations, one takes it: the database has each once. */
export async function takeOnce(
  tx: Tx,
  { table, keys, refusal }: OncePerPerson,
  { offeringId, subscriptionId }: { readonly offeringId: string; readonly subscriptionId: string },
): Promise<void> {
  await tx.sql
    .insert(table)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      offeringId,
      subscriptionId,
      emailHash: await hashOwner(tx),
      takenAt: tx.now,
    })
    .catch((error: unknown) => {
      throw keys.includes(databaseErrorOf(error)?.constraint ?? "") ? refusal() : error;
    });
}

export async function isHeld(tx: Tx, { table }: OncePerPerson, subscriptionId: string): Promise<boolean> {
  return (await tx.sql.$count(table, whereHeld(tx, table, subscriptionId))) > 0;
}

/** Nothing to do for a subscription that has none. */
export async function giveBack(tx: Tx, { table }: OncePerPerson, subscriptionId: string): Promise<void> {
  await tx.sql
    .update(table)
    .set({ returnedAt: tx.now })
    .where(whereHeld(tx, table, subscriptionId));
}

/** One mailbox has many spellings: what follows a plus is ignored by most, and dots by Gmail, which has two names. */
export function canonicalAddress(email: string): string {
  const at = email.lastIndexOf("@");
  const [local = ""] = email.slice(0, at).toLowerCase().split("+");
  const domain = email.slice(at + 1).toLowerCase();
  const isGmail = domain === "gmail.com" || domain === "googlemail.com";
  return isGmail ? `${local.replaceAll(".", "")}@gmail.com` : `${local}@${domain}`;
}

function whereHeld(tx: Tx, table: OncePerPerson["table"], subscriptionId: string): SQL | undefined {
  return and(
    eq(table.organizationId, organizationOf(tx)),
    eq(table.subscriptionId, subscriptionId),
    isNull(table.returnedAt),
  );
}

/** Of the mailbox of who owns the organization: tells that two are the same and nothing else. */
async function hashOwner(tx: Tx): Promise<string> {
  return sha256Hex(canonicalAddress((await getBillingContact(tx)).email));
}
