import { forbiddenField, notSupported, required, tooLong } from "../kube/causes.ts";
import { badRequest, invalidOptions, type StatusCause } from "../kube/status.ts";
import type { WriteOptions } from "../objects/context.ts";

const managerLimitBytes = 128;

/** Boolean parameters are lenient: everything but 0 and false is true. */
export function booleanParameter(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

export function integerParameter(query: URLSearchParams, name: string): number | null {
  const value = query.get(name);
  if (value === null || value === "") return null;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing "${value}": invalid syntax`);
  return Number(value);
}

export function checkTimeout(query: URLSearchParams): void {
  const value = query.get("timeout");
  if (value === null || /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value) || value === "0" || value === "") return;
  throw badRequest(`invalid timeout specified in the request URL - time: invalid duration "${value}"`);
}

/** The owner of written fields when none is given: the User-Agent up to its slash. */
function managerFromUserAgent(userAgent: string | undefined): string {
  const [product = ""] = (userAgent ?? "").split("/");
  return product.trim() === "" ? "unknown" : product.trim().slice(0, managerLimitBytes);
}

/** Reads the options that POST, PUT and PATCH share; `kind` names them in a 422. */
export function parseWriteOptions(
  query: URLSearchParams,
  userAgent: string | undefined,
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
  more: Partial<WriteOptions> & { readonly isApply?: boolean } = {},
): WriteOptions {
  const { isApply = false, ...given } = more;
  const manager = query.get("fieldManager") ?? "";
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  const validation = query.get("fieldValidation") ?? "";
  const causes: StatusCause[] = [];
  if (isApply && manager === "") causes.push(required("fieldManager", "is required for apply patch"));
  if (Buffer.byteLength(manager) > managerLimitBytes) causes.push(tooLong("fieldManager", managerLimitBytes));
  if (dryRun.some((value) => value !== "All")) causes.push(notSupported("dryRun", dryRun, ["All"]));
  if (!["", "Ignore", "Warn", "Strict"].includes(validation)) {
    causes.push(notSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
  }
  if (kind === "PatchOptions" && !isApply && query.get("force") !== null) {
    causes.push(forbiddenField("force", "may not be specified for non-apply patch"));
  }
  if (causes.length > 0) throw invalidOptions(kind, causes);
  return {
    manager: manager === "" ? managerFromUserAgent(userAgent) : manager,
    isDryRun: dryRun.length > 0,
    fieldValidation: validation === "Ignore" || validation === "Strict" ? validation : "Warn",
    subresource: "",
    warnings: [],
    ...given,
  };
}

export interface ListParameters {
  readonly isWatch: boolean;
  readonly limit: number;
  readonly continueToken: string | null;
  /** Null when none is given; 0 means any version. */
  readonly resourceVersion: number | null;
  readonly match: string;
  readonly sendsInitialEvents: boolean | null;
  readonly allowsBookmarks: boolean;
  readonly timeoutSeconds: number | null;
  readonly labelSelector: string | null;
  readonly fieldSelector: string | null;
}

/** Null instead of a number for a resourceVersion that is none: a list refuses it with 400, a watch with 500. */
export function parseListParameters(
  query: URLSearchParams,
  isWatchPath: boolean,
): ListParameters & { badVersion: string | null } {
  const isWatch = isWatchPath || booleanParameter(query, "watch");
  const version = query.get("resourceVersion") ?? "";
  const isNumber = /^\d+$/.test(version);
  const parameters = {
    isWatch,
    limit: Math.max(0, integerParameter(query, "limit") ?? 0),
    continueToken: query.get("continue") || null,
    resourceVersion: version === "" || !isNumber ? null : Number(version),
    badVersion: version === "" || isNumber ? null : version,
    match: query.get("resourceVersionMatch") ?? "",
    sendsInitialEvents: query.get("sendInitialEvents") === null ? null : booleanParameter(query, "sendInitialEvents"),
    allowsBookmarks: booleanParameter(query, "allowWatchBookmarks"),
    timeoutSeconds: integerParameter(query, "timeoutSeconds"),
    labelSelector: query.get("labelSelector"),
    fieldSelector: query.get("fieldSelector"),
  };
  checkListParameters(parameters, version);
  return parameters;
}

function checkListParameters(parameters: ListParameters, version: string): void {
  const { match, isWatch, sendsInitialEvents } = parameters;
  const field = "resourceVersionMatch";
  const causes: StatusCause[] = [];
  if (isWatch) {
    if (match !== "" && sendsInitialEvents === null) {
      causes.push(
        forbiddenField(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
      );
    }
    if (sendsInitialEvents !== null && match !== "NotOlderThan") {
      causes.push(forbiddenField(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
  } else {
    if (match !== "" && version === "") {
      causes.push(forbiddenField(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    } else if (match === "Exact" && version === "0") {
      causes.push(forbiddenField(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    } else if (!["", "Exact", "NotOlderThan"].includes(match)) {
      causes.push(notSupported(field, match, ["Exact", "NotOlderThan", ""]));
    }
    if (sendsInitialEvents !== null) {
      causes.push(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
  }
  if (causes.length > 0) throw invalidOptions("ListOptions", causes);
}
