import { trials } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { giveBack, type OncePerPerson, refuseSecond, takeOnce } from "./once-per-person.ts";

const trial: OncePerPerson = {
  table: trials,
  keys: ["trials_organization_key", "trials_email_key"],
  isTaken: (offeringId, emailHash) => sql`is_trial_taken(${offeringId}, ${emailHash})`,
  refusal: () => new DomainError("TRIAL_USED", "The trial of this app was used already. Order it without the trial."),
};

/** TRIAL_USED when the organization, or another one of the same owner, has had the trial of this app. */
export function refuseSecondTrial(tx: Tx, offeringId: string): Promise<void> {
  return refuseSecond(tx, trial, offeringId);
}

/** Throws TRIAL_USED. */
export function takeTrial(tx: Tx, offeringId: string, subscriptionId: string): Promise<void> {
  return takeOnce(tx, trial, { offeringId, subscriptionId });
}

/** Of an order that came to nothing. */
export function returnTrial(tx: Tx, subscriptionId: string): Promise<void> {
  return giveBack(tx, trial, subscriptionId);
}
