/** How far a client has read the log of one pod: up to the `count`th line of the moment `at`. */
export interface LogPosition {
  /** UTC with nine digits of a second. */
  readonly at: string;
  readonly count: number;
}

/** `<pod>/<moment>/<count>`; without a line yet only `<pod>/`. */
export function writeLogEventId(pod: string, position: LogPosition | null): string {
  return position === null ? `${pod}/` : `${pod}/${position.at}/${position.count}`;
}

/** Null for what none of our streams has sent as an id. */
export function readLogEventId(
  id: string | null | undefined,
): { readonly pod: string; readonly position: LogPosition | null } | null {
  const parts = /^([a-z0-9][-a-z0-9.]{0,252})\/(?:(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z)\/(\d{1,6}))?$/.exec(
    id ?? "",
  );
  if (parts === null) return null;
  const [, pod = "", at, count] = parts;
  if (at === undefined) return { pod, position: null };
  return Number.isNaN(Date.parse(at)) ? null : { pod, position: { at, count: Number(count) } };
}

export function advance(position: LogPosition | null, at: string): LogPosition {
  return position?.at === at ? { at, count: position.count + 1 } : { at, count: 1 };
}
