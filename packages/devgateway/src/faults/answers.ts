import { drawing } from "../random.ts";

export type Operation = "createPayment" | "getPayment" | "cancelPayment" | "createRefund" | "getRefund";

/** Which requests of the API a switch is about. What is left out matches anything; the checkout page is never met. */
export interface RequestPattern {
  readonly operation?: Operation;
  /** So many requests that match are answered as usual before the first that is not. */
  readonly skip?: number;
  /** So many are answered otherwise, then no more. Without it, all until the switches are cleared. */
  readonly times?: number;
  /** Only this part of them, drawn from the seed: the same requests in the same order meet the same. */
  readonly share?: { readonly of: number; readonly seed: number };
}

/**
 * What happens to a request instead of its answer.
 *
 * - `cut`: nothing is done, and the connection is reset.
 * - `lost`: what was asked is done, and the connection is reset before the answer.
 * - `silent`: nothing is done and nothing comes, while the connection stays open.
 * - `hung`: what was asked is done and nothing comes: the time-out after the capture.
 * - `garbled`: what was asked is done, and the answer is a page of a proxy with status 200.
 * - a status: that refusal. With `isDone` it is a lie, and what was asked is done. `retryAfterSeconds` (1) is for 429 and 503.
 * - a delay: what was asked is done so much later, even if nobody waits for the answer any more.
 */
export type FaultyAnswer =
  | "cut"
  | "lost"
  | "silent"
  | "hung"
  | "garbled"
  | {
      readonly status: 400 | 401 | 403 | 404 | 408 | 422 | 429 | 500 | 502 | 503 | 504;
      readonly isDone?: boolean;
      readonly retryAfterSeconds?: number;
    }
  | { readonly delayMs: number };

/** One switch that was thrown. */
export interface AnsweredRequests {
  /** How many requests it has met so far. */
  readonly met: number;
}

interface Switch {
  readonly pattern: RequestPattern;
  readonly how: FaultyAnswer;
  readonly draw: () => number;
  matched: number;
  met: number;
}

/** The switches that answer for the API, in the order in which they were thrown: the first that matches counts. */
export class AnswerSwitches {
  #switches: Switch[] = [];

  add(pattern: RequestPattern, how: FaultyAnswer): AnsweredRequests {
    const added: Switch = { pattern, how, draw: drawing(pattern.share?.seed ?? 0), matched: 0, met: 0 };
    this.#switches.push(added);
    return added;
  }

  clear(): void {
    this.#switches = [];
  }

  /** What is to happen to this request; null: nothing out of the ordinary. */
  next(operation: Operation): FaultyAnswer | null {
    for (const item of this.#switches) {
      const { skip = 0, times = Infinity, share } = item.pattern;
      if ((item.pattern.operation ?? operation) !== operation || item.met >= times) continue;
      item.matched += 1;
      if (item.matched <= skip || (share !== undefined && item.draw() >= share.of)) continue;
      item.met += 1;
      return item.how;
    }
    return null;
  }
}
