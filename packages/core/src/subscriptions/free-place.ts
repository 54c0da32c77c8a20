import { freePlaces } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { giveBack, isHeld, type OncePerPerson, refuseSecond, takeOnce } from "./once-per-person.ts";

const freePlace: OncePerPerson = {
  table: freePlaces,
  keys: ["free_places_organization_key", "free_places_email_key"],
  isTaken: (offeringId, emailHash) => sql`is_free_place_taken(${offeringId}, ${emailHash})`,
  refusal: () =>
    new DomainError(
      "FREE_PLAN_USED",
      "There is one of this plan for each person, and yours is taken. Order another plan, or delete that app first.",
    ),
};

/** FREE_PLAN_USED when the organization, or another one of the same owner, has an app of this offering on a plan that is one per person. */
export function refuseSecondFreePlace(tx: Tx, offeringId: string): Promise<void> {
  return refuseSecond(tx, freePlace, offeringId);
}

/** Throws FREE_PLAN_USED. */
export function takeFreePlace(tx: Tx, offeringId: string, subscriptionId: string): Promise<void> {
  return takeOnce(tx, freePlace, { offeringId, subscriptionId });
}

/** The place stays with its app while that lives, whatever plan it is on, so that the app can come back to it. */
export function holdsFreePlace(tx: Tx, subscriptionId: string): Promise<boolean> {
  return isHeld(tx, freePlace, subscriptionId);
}

export function returnFreePlace(tx: Tx, subscriptionId: string): Promise<void> {
  return giveBack(tx, freePlace, subscriptionId);
}
