/** Where time comes from. The only file of core that may ask the machine for it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Milliseconds that only go forward, for bounds on waiting. Says nothing about the time of day. */
export function monotonicMs(): number {
  return performance.now();
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
