/** Which requests a switch is about. What is left out matches anything. */
export interface RequestPattern {
  /** As access rules name them: an apply is a `patch`. */
  readonly verb?: RequestVerb;
  /** `deployments`. Requests that are not about objects (version, health, discovery) have none. */
  readonly plural?: string;
  /** So many requests that match are answered as usual before the first that is not. */
  readonly skip?: number;
  /** So many are answered otherwise, then no more. Without it, all until the switches are cleared. */
  readonly times?: number;
  /** Only this part of them, drawn from the seed: the same requests in the same order meet the same. */
  readonly share?: { readonly of: number; readonly seed: number };
}

export type RequestVerb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** Statuses that can be asked for; each is sent with the body that a real server gives it. */
export type RefusalStatus = 401 | 403 | 404 | 409 | 410 | 422 | 429 | 500 | 503 | 504;

/**
 * What happens to a request instead of its answer.
 *
 * - `cut`: nothing is done, and the connection is reset.
 * - `lost`: what was asked is done, and the connection is reset before the answer. A watch is cut.
 * - `silent`: nothing is done and nothing comes, while the connection stays open. A watch begins and then says nothing.
 * - `quota`: 403, because a quota of the namespace is used up.
 * - a status: that refusal. A watch is told 410 as its first event. `retryAfterSeconds` (1) is for 429 and 503.
 * - a delay: the usual answer, so much later.
 */
export type FaultyAnswer =
  | "cut"
  | "lost"
  | "silent"
  | "quota"
  | { readonly status: RefusalStatus; readonly retryAfterSeconds?: number }
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

/** The switches that answer for the API server, in the order in which they were thrown: the first that matches counts. */
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
  next(request: { readonly verb: RequestVerb; readonly plural: string | null }): FaultyAnswer | null {
    for (const item of this.#switches) {
      const { verb = request.verb, plural = request.plural, skip = 0, times = Infinity, share } = item.pattern;
      if (verb !== request.verb || plural !== request.plural || item.met >= times) continue;
      item.matched += 1;
      if (item.matched <= skip || (share !== undefined && item.draw() >= share.of)) continue;
      item.met += 1;
      return item.how;
    }
    return null;
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
