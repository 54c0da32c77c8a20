/** The refusals of the API: every one leaves the server as a `Status` object with an HTTP code. */

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusBody {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export class ApiError extends Error {
  readonly status: StatusBody;
  readonly code: number;

  constructor(code: number, reason: string | undefined, message: string, more: Partial<StatusBody> = {}) {
    super(message);
    this.code = code;
    const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message } as const;
    this.status = { ...body, ...(reason === undefined ? {} : { reason }), ...more, code };
  }
}

/** What an error says it is about. `plural` and `group` for 403, 404 and 409, `kind` for 422. */
export interface ErrorSubject {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

function qualified(name: string, group: string): string {
  return group === "" ? name : `${name}.${group}`;
}

function resourceDetails(subject: ErrorSubject, name: string): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(subject.group === "" ? {} : { group: subject.group }),
    kind: subject.plural,
  };
}

export function notFound(subject: ErrorSubject, name: string): ApiError {
  const message = `${qualified(subject.plural, subject.group)} "${name}" not found`;
  return new ApiError(404, "NotFound", message, { details: resourceDetails(subject, name) });
}

/** The answer for paths of a known group that lead nowhere: a Status without name and kind. */
export function unknownResource(): ApiError {
  return new ApiError(404, "NotFound", "the server could not find the requested resource", { details: {} });
}

export function alreadyExists(subject: ErrorSubject, name: string, isBeingDeleted: boolean): ApiError {
  const prefix = isBeingDeleted ? "object is being deleted: " : "";
  const message = `${prefix}${qualified(subject.plural, subject.group)} "${name}" already exists`;
  return new ApiError(409, "AlreadyExists", message, { details: resourceDetails(subject, name) });
}

export function conflict(subject: ErrorSubject, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(subject.plural, subject.group)} "${name}": ${why}`;
  return new ApiError(409, "Conflict", message, { details: resourceDetails(subject, name) });
}

export function modified(subject: ErrorSubject, name: string): ApiError {
  const why = "the object has been modified; please apply your changes to the latest version and try again";
  return conflict(subject, name, why);
}

export function forbidden(subject: ErrorSubject, name: string, why: string, causes?: readonly StatusCause[]): ApiError {
  const message = `${qualified(subject.plural, subject.group)} "${name}" is forbidden: ${why}`;
  const details = { ...resourceDetails(subject, name), ...(causes === undefined ? {} : { causes }) };
  return new ApiError(403, "Forbidden", message, { details });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

/** A 500: the server answers so to an apply that does not fit the schema, and clients must expect it. */
export function internal(message: string): ApiError {
  return new ApiError(500, undefined, message);
}

export function methodNotAllowed(): ApiError {
  const message = "the server does not allow this method on the requested resource";
  return new ApiError(405, "MethodNotAllowed", message, { details: {} });
}

export function invalid(subject: Omit<ErrorSubject, "plural">, name: string, causes: readonly StatusCause[]): ApiError {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const unique = [...new Set(texts)];
  const list = unique.length === 1 ? (unique[0] ?? "") : `[${unique.join(", ")}]`;
  const message = `${qualified(subject.kind, subject.group)} "${name}" is invalid: ${list}`;
  const details: StatusDetails = {
    ...(name === "" ? {} : { name }),
    ...(subject.group === "" ? {} : { group: subject.group }),
    ...(subject.kind === "" ? {} : { kind: subject.kind }),
    causes,
  };
  return new ApiError(422, "Invalid", message, { details });
}

/** 422 about the options of a request (fieldManager, dryRun, …), which are objects of their own to the server. */
export function invalidOptions(kind: string, causes: readonly StatusCause[]): ApiError {
  return invalid({ group: "meta.k8s.io", kind }, "", causes);
}
