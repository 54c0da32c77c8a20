import { databaseErrorOf } from "@sewa/db";
import { trials } from "@sewa/db/schema";
import { and, eq, isNull, sql } from "drizzle-orm";
import { getBillingContact } from "../accounts/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";

/** TRIAL_USED when the organization, or another one of the same owner, has had the trial of this app. */
export async function refuseSecondTrial(tx: Tx, offeringId: string): Promise<void> {
  const own = and(
    eq(trials.organizationId, organizationOf(tx)),
    eq(trials.offeringId, offeringId),
    isNull(trials.returnedAt),
  );
  // What others have is behind the fence: its door answers with yes or no.
  const [known] = await tx.sql.execute<{ taken: boolean }>(
    sql`select exists (select 1 from ${trials} where ${own}) or is_trial_taken(${offeringId}, ${await hashOwner(tx)}) as taken`,
  );
  if (known?.taken === true) throw trialUsed();
}

/** Of many orders at once one takes it: the database has each trial once. */
export async function takeTrial(tx: Tx, offeringId: string, subscriptionId: string): Promise<void> {
  await tx.sql
    .insert(trials)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      offeringId,
      subscriptionId,
      emailHash: await hashOwner(tx),
      takenAt: tx.now,
    })
    .catch((error: unknown) => {
      const { constraint } = databaseErrorOf(error) ?? {};
      throw constraint === "trials_organization_key" || constraint === "trials_email_key" ? trialUsed() : error;
    });
}

/** An order that came to nothing gives its trial back. Nothing to do without one. */
export async function returnTrial(tx: Tx, subscriptionId: string): Promise<void> {
  await tx.sql
    .update(trials)
    .set({ returnedAt: tx.now })
    .where(
      and(
        eq(trials.organizationId, organizationOf(tx)),
        eq(trials.subscriptionId, subscriptionId),
        isNull(trials.returnedAt),
      ),
    );
}

/** One mailbox has many spellings: what follows a plus is ignored by most, and dots by Gmail, which has two names. */
export function canonicalAddress(email: string): string {
  const at = email.lastIndexOf("@");
  const [local = ""] = email.slice(0, at).toLowerCase().split("+");
  const domain = email.slice(at + 1).toLowerCase();
  const isGmail = domain === "gmail.com" || domain === "googlemail.com";
  return isGmail ? `${local.replaceAll(".", "")}@gmail.com` : `${local}@${domain}`;
}

/** Of the mailbox of who owns the organization: tells that two are the same and nothing else. */
export async function hashOwner(tx: Tx): Promise<string> {
  return sha256Hex(canonicalAddress((await getBillingContact(tx)).email));
}

function trialUsed(): DomainError {
  return new DomainError("TRIAL_USED", "The trial of this app was used already. Order it without the trial.");
}
