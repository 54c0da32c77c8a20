import pg from "pg";

export interface WorkerPoolOptions {
  readonly url: string;
  readonly max: number;
  readonly applicationName?: string;
  /** Told about connections that break while they are idle; the pool replaces them by itself. */
  readonly onError?: (error: Error) => void;
}

/** A pool of its own for graphile-worker, which speaks `pg`, with every session as `sewa_worker`. The caller ends it. */
export function createWorkerPool(options: WorkerPoolOptions): pg.Pool & AsyncDisposable {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    options: "-c role=sewa_worker -c timezone=UTC",
    application_name: options.applicationName ?? "sewa-worker",
    connectionTimeoutMillis: 10_000,
  });
  const onError = options.onError ?? ((): void => undefined);
  // Without a listener the loss of an idle connection would be an uncaught exception.
  pool.on("error", onError);
  pool.on("connect", (client) => client.on("error", onError));
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}
