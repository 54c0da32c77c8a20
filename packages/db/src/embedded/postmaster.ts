import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import type { DataDirectory } from "./data-directory.ts";

/**
 * PostgreSQL under a watchdog. The shell holds the read end of a pipe whose write end is ours: when we close it, or die by
 * any signal at all, the read returns and PostgreSQL is told to shut down. A temporary data directory is removed by the
 * shell too, so that a killed test run leaves neither a process nor a directory. `$1` is that directory or empty.
 */
const WATCHDOG = `
remove=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- & postgres=$!
( read -r _ <&3; kill -INT $postgres ) & watcher=$!
exec 3<&-
wait $postgres; code=$?
kill $watcher 2>/dev/null
if [ -n "$remove" ]; then rm -rf "$remove"; fi
exit $code
`;

const SETTINGS = {
  both: [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "jit=off",
  ],
  durable: ["max_connections=100"],
  // Nothing survives a power cut, which is the point: the data ends with the process.
  fast: [
    "max_connections=200",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
  ],
} as const;

const STARTUP_TIMEOUT_MS = 60_000;
const SHUTDOWN_TIMEOUT_MS = 20_000;
const KEPT_LOG_LINES = 20;

export class PortInUseError extends Error {
  override readonly name = "PortInUseError";
}

export class DataInUseError extends Error {
  override readonly name = "DataInUseError";
}

export interface Postmaster {
  /** Resolves when PostgreSQL has ended, asked or not. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export interface PostmasterOptions {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly data: DataDirectory;
  readonly port: number;
  readonly durable: boolean;
  readonly log: (line: string) => void;
}

/** Starts PostgreSQL and resolves when it says that it accepts connections. Throws `PortInUseError`, `DataInUseError`, or what its log says. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const { account, binaries, data, port } = options;
  const settings = [...SETTINGS.both, ...(options.durable ? SETTINGS.durable : SETTINGS.fast), `port=${port}`];
  const command = [binaries.postgres, "-D", data.path, ...settings.flatMap((setting) => ["-c", setting])];
  const child = spawn("/bin/sh", ["-c", WATCHDOG, "sewa-postgres", data.removeAfterwards ?? "", ...command], {
    ...account,
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    stdio: ["pipe", "ignore", "pipe"],
    detached: true, // Ctrl-C in the terminal is for us; PostgreSQL goes last, when we close the pipe.
  });
  const ended = new Promise<void>((resolve) => {
    // Should only the shell be killed, its reader still holds the pipe: closing our end makes it stop PostgreSQL.
    child.once("exit", () => child.stdin?.destroy());
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  const postmaster = { ended, stop: () => stop(child, ended) };
  try {
    await accepting(child, ended, options);
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
  return postmaster;
}

function accepting(child: ChildProcess, ended: Promise<void>, { data, port, log }: PostmasterOptions): Promise<void> {
  const { stderr, stdin } = child;
  if (stderr === null || stdin === null) throw new Error("The pipes of PostgreSQL are missing.");
  stdin.on("error", () => undefined); // EPIPE after PostgreSQL ended: `ended` tells it.
  const lastLines: string[] = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new Error(
          `PostgreSQL did not accept connections within ${STARTUP_TIMEOUT_MS / 1000} s:\n${lastLines.join("\n")}`,
        ),
      );
    }, STARTUP_TIMEOUT_MS);
    createInterface({ input: stderr }).on("line", (line) => {
      log(line);
      lastLines.push(line);
      if (lastLines.length > KEPT_LOG_LINES) lastLines.shift();
      if (line.includes("database system is ready to accept connections")) {
        clearTimeout(timer);
        resolve();
      }
    });
    child.once("error", (error) => lastLines.push(error.message));
    void ended.then(() => {
      clearTimeout(timer);
      reject(startFailure(lastLines.join("\n"), port, data.path));
    });
  });
}

function startFailure(log: string, port: number, path: string): Error {
  if (/could not bind .*(Address already in use|Permission denied)|could not create any TCP\/IP sockets/s.test(log)) {
    return new PortInUseError(`PostgreSQL cannot have port ${port} on 127.0.0.1: it is in use.`);
  }
  if (/lock file ".*postmaster\.pid" already exists/.test(log)) {
    return new DataInUseError(`Another PostgreSQL already runs on the data in ${path}. Stop it first.`);
  }
  return new Error(`PostgreSQL did not start on the data in ${path}:\n${log}`);
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.stdin?.destroy();
  const { pid } = child;
  const timer = setTimeout(() => {
    // The child leads a process group of its own, so this reaches the shell and every PostgreSQL process.
    if (pid !== undefined && child.exitCode === null) process.kill(-pid, "SIGKILL");
  }, SHUTDOWN_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
