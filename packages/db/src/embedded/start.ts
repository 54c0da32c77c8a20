import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import postgres from "postgres";
import { postgresAccount } from "./account.ts";
import { findBinaries } from "./binaries.ts";
import { keptDataDirectory, temporaryDataDirectory } from "./data-directory.ts";
import { DataInUseError, PortInUseError, startPostmaster, type Postmaster } from "./postmaster.ts";

export interface EmbeddedPostgresOptions {
  /** Kept between starts. Without it the data is temporary and gone after `stop()`. */
  readonly dataDir?: string;
  /** Whether temporary data may be in memory, where a database is made in a fraction of the time. Yes unless told: no for data that grows. */
  readonly mayUseMemory?: boolean;
  /** On 127.0.0.1; any free one by default. */
  readonly port?: number;
  /** Whether a commit survives a power cut. By default kept data is durable and temporary data is not. */
  readonly durable?: boolean;
  /** Receives PostgreSQL's log, line by line. */
  readonly log?: (line: string) => void;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Of the superuser `sewa` and the database `postgres`, with the password inside. */
  readonly url: string;
  /** Where the data really is: not the requested place when PostgreSQL's account cannot enter that. */
  readonly dataDir: string;
  /** Resolves when PostgreSQL has ended, asked or not. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const PORT_ATTEMPTS = 5;
// A server whose process was killed needs a moment to shut down; whoever starts again at once waits for it.
const PREDECESSOR_ATTEMPTS = 30;
const PREDECESSOR_PAUSE_MS = 100;

/**
 * Starts a PostgreSQL of our own, which ends with this process however that ends. Errors say what to do: a port in use,
 * data of another version, data that another PostgreSQL uses.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  const account = postgresAccount();
  const binaries = findBinaries(account);
  const durable = options.durable ?? options.dataDir !== undefined;
  const log = options.log ?? ((): void => undefined);
  const data =
    options.dataDir === undefined
      ? temporaryDataDirectory(binaries, account, options.mayUseMemory ?? true)
      : keptDataDirectory(options.dataDir, binaries, account, durable);
  const { port, postmaster } = await startOnPort(options.port, (candidate) =>
    startPostmaster({ binaries, account, data, port: candidate, durable, log }),
  );
  const url = `postgres://sewa:${encodeURIComponent(data.password)}@127.0.0.1:${port}/postgres`;
  const stop = async (): Promise<void> => {
    await postmaster.stop();
    if (data.removeAfterwards !== null) rmSync(data.removeAfterwards, { recursive: true, force: true });
  };
  try {
    await connectOnce(url);
  } catch (error) {
    await stop();
    throw new Error(`PostgreSQL runs on the data in ${data.path} but cannot be entered with the stored password.`, {
      cause: error,
    });
  }
  return { url, dataDir: data.path, ended: postmaster.ended, stop, [Symbol.asyncDispose]: stop };
}

async function startOnPort(
  wanted: number | undefined,
  start: (port: number) => Promise<Postmaster>,
): Promise<{ port: number; postmaster: Postmaster }> {
  let portsTried = 0;
  let pauses = 0;
  for (;;) {
    const port = wanted ?? (await freePort());
    try {
      return { port, postmaster: await start(port) };
    } catch (error) {
      // A free port can be taken by somebody else before PostgreSQL binds it.
      const takesAnotherPort =
        error instanceof PortInUseError && wanted === undefined && (portsTried += 1) < PORT_ATTEMPTS;
      const waits = error instanceof DataInUseError && (pauses += 1) < PREDECESSOR_ATTEMPTS;
      if (waits) await setTimeout(PREDECESSOR_PAUSE_MS);
      else if (!takesAnotherPort) throw error;
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("No free port was given."));
        else resolve(address.port);
      });
    });
  });
}

async function connectOnce(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    await sql`select 1`;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
