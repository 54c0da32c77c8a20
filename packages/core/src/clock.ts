/** Where time comes from. The only file of core that may ask the machine for it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Milliseconds that only go forward, for bounds on waiting. Says nothing about the time of day. */
export function monotonicMs(): number {
  return performance.now();
}

export interface SharedClock extends Clock {
  /** Asks what time it is. Throws when nobody answers; what was answered before then goes on to count. */
  sync(): Promise<void>;
}

/**
 * One time for all processes of the house, whatever their machines say: deadlines, tickets and sessions that one writes are
 * judged by another. Between two answers it goes by a clock that cannot be set. Until the first one it is the machine's.
 */
export function sharedClock(askMs: () => Promise<number>): SharedClock {
  let behindMs: number | null = null;
  return {
    now: () => (behindMs === null ? systemClock.now() : new Date(monotonicMs() + behindMs)),
    async sync() {
      const asked = monotonicMs();
      const answerMs = await askMs();
      behindMs = answerMs - (asked + monotonicMs()) / 2;
    },
  };
}

/** A clock that stands still until it is set: for tests. */
export function manualClock(start: Date): Clock & { set(now: Date): void } {
  let current = start;
  return {
    now: () => new Date(current),
    set(now) {
      current = now;
    },
  };
}

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export function addMs(date: Date, ms: number): Date {
  return new Date(date.getTime() + ms);
}
