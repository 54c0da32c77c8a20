/** The organization's time. */
export interface ClockDto {
  /** test: it moves only when it is told to, for development and demonstrations. */
  readonly kind: "real" | "test";
  readonly now: Date;
  /** Where a test clock is going; equal to `now` once everything on the way has happened. */
  readonly target: Date;
}

export interface AdvanceClockInput {
  readonly to: Date;
}
