/** Trying again cannot help: stop, and tell someone. */
export class TerminalError extends Error {
  override readonly name: string = "TerminalError";
}

/** The API server did not answer, or answered that it cannot now. Trying again later is right. */
export class ClusterUnreachable extends Error {
  override readonly name = "ClusterUnreachable";
  /** What the server asked us to wait, in milliseconds; null when it said nothing. */
  readonly retryAfterMs: number | null;
  constructor(message: string, retryAfterMs: number | null = null, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** 401 or 403: our credentials or rights are missing. Someone must give them; a hot loop does not. */
export class ClusterDenied extends Error {
  override readonly name = "ClusterDenied";
}

/** A ResourceQuota or LimitRange of the namespace refused the object. */
export class QuotaRefused extends Error {
  override readonly name = "QuotaRefused";
}

/** The namespace is being deleted; nothing can be created in it until it is gone. */
export class NamespaceTerminating extends Error {
  override readonly name = "NamespaceTerminating";
}

export class NotFound extends Error {
  override readonly name = "NotFound";
}

/** Somebody else changed the object in between; read again and decide again. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}

/** A resourceVersion or continue token is too old to go on from; list again. */
export class Expired extends Error {
  override readonly name = "Expired";
}

/** The server will never accept this object. */
export class InvalidObject extends TerminalError {
  override readonly name = "InvalidObject";
}

/** A namespace of our name exists, and it is not ours. It is left untouched. */
export class NameTaken extends TerminalError {
  override readonly name = "NameTaken";
}
