import {
  ClusterDenied,
  ClusterUnreachable,
  Conflict,
  Expired,
  InvalidObject,
  NamespaceTerminating,
  NotFound,
  QuotaRefused,
} from "../errors.ts";

/** The fields of a Kubernetes `Status` that decide what an error means. */
interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string }[] };
}

const longestMessage = 500;
/** Whatever a server or something before it asks for, it is asked again after this time. */
const longestWaitMs = 60_000;

/**
 * Turns an answer that is no success into the error that says what to do about it.
 *
 * The body is usually a Status, but proxies and overload protection answer plain text or HTML. `what` names the request
 * without values; when `isSecret`, the server's message is left out, because it may quote what was sent.
 */
export function toClusterError(
  answer: { readonly status: number; readonly body: string; readonly retryAfter: string | undefined },
  what: string,
  isSecret = false,
): Error {
  const status = parseStatus(answer.body);
  const said = isSecret ? (status.reason ?? "") : (status.message ?? answer.body).slice(0, longestMessage);
  const message = `${what}: ${String(answer.status)} ${said}`.trimEnd();
  const causes = status.details?.causes ?? [];
  switch (answer.status) {
    case 401:
      return new ClusterDenied(message);
    case 403:
      if (causes.some(({ reason }) => reason === "NamespaceTerminating")) return new NamespaceTerminating(message);
      // The cluster has not counted yet what a quota of a moment ago is about.
      if ((status.message ?? "").includes("status unknown for quota")) return new Conflict(message);
      // A right is not missing: the storage cannot do it, and never will.
      if (isGrowthText(status.message ?? "")) return new InvalidObject(message);
      return isQuotaText(status.message ?? "") ? new QuotaRefused(message) : new ClusterDenied(message);
    case 404:
      return new NotFound(message);
    case 409:
      return new Conflict(message);
    case 410:
      return new Expired(message);
    case 400:
    case 405:
    case 413:
    case 415:
    case 422:
      return new InvalidObject(message);
    default:
      if (isTypeError(answer.status, status.message ?? "")) return new InvalidObject(message);
      return new ClusterUnreachable(message, retryAfterMs(answer.retryAfter));
  }
}

/** A volume claim that asks for more than its storage class can give. */
function isGrowthText(message: string): boolean {
  return /pvc can be resized|persistent volume claims can be expanded/u.test(message);
}

/** Also what ReplicaSets and StatefulSets report when admission refuses their pods. */
export function isQuotaText(message: string): boolean {
  return /exceeded quota|failed quota|(maximum|minimum) \S+ usage per|must specify (limits|requests)/u.test(message);
}

/** Server-side apply answers 500 to an object that breaks the schema; retrying on that would go on for ever. */
function isTypeError(code: number, message: string): boolean {
  return (
    code === 500 &&
    /failed to create typed patch object|failed to convert new object|request is too large/u.test(message)
  );
}

function parseStatus(body: string): Status {
  try {
    const parsed: unknown = JSON.parse(body);
    return parsed !== null && typeof parsed === "object" ? (parsed as Status) : {};
  } catch {
    return {};
  }
}

function retryAfterMs(header: string | undefined): number | null {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, longestWaitMs) : null;
}
