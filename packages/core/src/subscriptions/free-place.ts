import { databaseErrorOf } from "@sewa/db";
import { freePlaces } from "@sewa/db/schema";
import { and, eq, isNull, sql } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { hashOwner } from "./trial.ts";

/** FREE_PLAN_USED when the organization, or another one of the same owner, has an app of this offering on a plan that is one per person. */
export async function refuseSecondFreePlace(tx: Tx, offeringId: string): Promise<void> {
  const own = and(
    eq(freePlaces.organizationId, organizationOf(tx)),
    eq(freePlaces.offeringId, offeringId),
    isNull(freePlaces.returnedAt),
  );
  // What others have is behind the fence: its door answers with yes or no.
  const [known] = await tx.sql.execute<{ taken: boolean }>(
    sql`select exists (select 1 from ${freePlaces} where ${own}) or is_free_place_taken(${offeringId}, ${await hashOwner(tx)}) as taken`,
  );
  if (known?.taken === true) throw freePlanUsed();
}

/** Of many orders at once, for whichever organizations, one takes it: the database has each place once. */
export async function takeFreePlace(tx: Tx, offeringId: string, subscriptionId: string): Promise<void> {
  await tx.sql
    .insert(freePlaces)
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
      const isTaken = constraint === "free_places_organization_key" || constraint === "free_places_email_key";
      throw isTaken ? freePlanUsed() : error;
    });
}

/** The place stays with its app while that lives, whatever plan it is on, so that the app can come back to it. */
export async function holdsFreePlace(tx: Tx, subscriptionId: string): Promise<boolean> {
  const [held] = await tx.sql.select({ id: freePlaces.id }).from(freePlaces).where(whereHeld(tx, subscriptionId));
  return held !== undefined;
}

/** Nothing to do without one. */
export async function returnFreePlace(tx: Tx, subscriptionId: string): Promise<void> {
  await tx.sql.update(freePlaces).set({ returnedAt: tx.now }).where(whereHeld(tx, subscriptionId));
}

function whereHeld(tx: Tx, subscriptionId: string) {
  return and(
    eq(freePlaces.organizationId, organizationOf(tx)),
    eq(freePlaces.subscriptionId, subscriptionId),
    isNull(freePlaces.returnedAt),
  );
}

function freePlanUsed(): DomainError {
  const message =
    "There is one of this plan for each person, and yours is taken. Order another plan, or delete that app first.";
  return new DomainError("FREE_PLAN_USED", message);
}
