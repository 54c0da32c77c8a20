import type { DeclineSwitches } from "../faults/declines.ts";
import type { Store } from "./store.ts";

/** What payments and refunds are made with. */
export interface Gateway {
  readonly store: Store;
  readonly declines: DeclineSwitches;
  now(): number;
  /** How long something takes that is not done at once. */
  readonly delayMs: number;
}
