export interface UptimeDayDto {
  /** On the organization's wall clock, as `2026-03-02`. */
  readonly day: string;
  readonly upSeconds: number;
  readonly downSeconds: number;
  /** Time that is over and was not probed: the app was stopped or changed, or nobody asked. */
  readonly unknownSeconds: number;
  /** Up by up and down, from 0 to 1; null where nothing was probed. */
  readonly ratio: number | null;
}

/** Real time, also where the organization lives on a test clock. */
export interface InstanceUptimeDto {
  /** IANA name; the days are those of its wall clock. */
  readonly timeZone: string;
  /** Oldest first; the last one is today. */
  readonly days: readonly UptimeDayDto[];
  readonly ratio: number | null;
  /** What is aimed at. */
  readonly targetRatio: number;
  /** Null where nothing was probed. */
  readonly isWithinTarget: boolean | null;
}

export interface InstanceUptimeInput {
  readonly instanceId: string;
  /** 1 to 90; 30 unless told. */
  readonly days?: number | undefined;
}
