export interface PaceLimits {
  readonly linesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** How much may go at once after a pause, in seconds of the limit. */
const burstSeconds = 4;

/**
 * Answers how long to wait, in milliseconds, after a line of so many bytes was passed on at `nowMs` of a monotonic clock,
 * so that neither limit is exceeded for longer than a burst.
 */
export function createPace(limits: PaceLimits, startMs: number): (bytes: number, nowMs: number) => number {
  const fullMs = burstSeconds * 1_000;
  // When all that was passed on so far would have been due at the full rate.
  let dueMs = startMs - fullMs;
  return (bytes, nowMs) => {
    const costMs = 1_000 * Math.max(1 / limits.linesPerSecond, bytes / limits.bytesPerSecond);
    dueMs = Math.max(dueMs, nowMs - fullMs) + costMs;
    return Math.max(0, dueMs - nowMs);
  };
}
