import type { AnsweredRequests, AnswerSwitches, FaultyAnswer, RequestPattern } from "./answers.ts";
import type { DeclineSwitches } from "./declines.ts";

/** Things that go wrong at a real gateway. Each switch stands until it has met as many as it was told, or is cleared. */
export interface Faults {
  /** The API answers requests that match otherwise than it should, or not at all. */
  answer(pattern: RequestPattern, how: FaultyAnswer): AnsweredRequests;
  /** The next charges of any card are declined, at the checkout and on file. One `card_declined` when nothing is said. */
  declineNext(options?: { readonly failure?: string; readonly times?: number }): void;
  /** The next refunds are accepted and then fail. One `refund_rejected` when nothing is said. */
  failRefunds(options?: { readonly failure?: string; readonly times?: number }): void;
  clear(): void;
}

export function createFaults(answers: AnswerSwitches, declines: DeclineSwitches): Faults {
  return {
    answer: (pattern, how) => answers.add(pattern, how),
    declineNext: ({ failure = "card_declined", times = 1 } = {}) => declines.charges(failure, times),
    failRefunds: ({ failure = "refund_rejected", times = 1 } = {}) => declines.refunds(failure, times),
    clear() {
      answers.clear();
      declines.clear();
    },
  };
}
