import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { connectDatabase, type Database } from "@sewa/db";
import type { CrashPoint, FromWorker, ToWorker } from "./worker-process.ts";

const patienceMs = 60_000;
const pauseMs = 200;
const program = new URL("./worker-process.ts", import.meta.url);

/** One worker at a time, as a process that can be killed, and a spare one that has its code loaded already. */
export interface Crew extends AsyncDisposable {
  /** Names of the effects of all workers since the last `forget`, in order. */
  readonly effects: readonly string[];
  forget(): void;
  /** Resolves when the living worker knows. */
  arm(point: CrashPoint | null): Promise<void>;
  /** How many workers were killed, by themselves or by `kill`. */
  deaths(): number;
  /** `kill -9` now. Its successor is at work when this resolves. */
  kill(): Promise<void>;
  /** Resolves when a successor of whoever has died is at work. Rejects if one could not start. */
  settled(): Promise<void>;
}

/**
 * Who dies is replaced at once. The minute for which a dead worker's lease and heartbeat stand is not waited for: its rows
 * are made old instead, which is all that the minute does.
 */
export async function startCrew(env: Readonly<Record<string, string>>): Promise<Crew> {
  const database = connectDatabase({ url: env["DATABASE_URL"] ?? "", role: "sewa_worker", max: 1 });
  const effects: string[] = [];
  let deaths = 0;
  let isEnding = false;
  let spare = load();
  let living = spare;
  let succession: Promise<void> = Promise.resolve();

  const employ = async (): Promise<void> => {
    living = spare;
    const worker = living;
    spare = load();
    worker.on("message", (message: FromWorker) => message.type === "effect" && effects.push(message.name));
    const started = heard(worker, "started");
    send(worker, { type: "start", env });
    await started;
    worker.once("exit", () => {
      if (isEnding) return;
      deaths += 1;
      succession = succeed();
      // Whoever asks with `settled` is told; until then it is nobody's unhandled rejection.
      succession.catch(() => undefined);
    });
  };
  /** The world may be away while it starts; a supervisor tries again. */
  const succeed = async (): Promise<void> => {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        await makeOld(database);
        return await employ();
      } catch (error) {
        if (isEnding || performance.now() > deadline) throw error;
      }
      await setTimeout(pauseMs);
    }
  };
  await employ();
  return {
    effects,
    forget: () => void (effects.length = 0),
    async arm(point) {
      for (;;) {
        await succession;
        const worker = living;
        try {
          const armed = heard(worker, "armed");
          send(worker, { type: "arm", point });
          await armed;
          return;
        } catch (error) {
          // It died of what it was armed with before; its successor is told instead.
          if (worker.signalCode !== "SIGKILL") throw error;
        }
      }
    },
    deaths: () => deaths,
    async kill() {
      await succession;
      const worker = living;
      const gone = once(worker, "exit");
      worker.kill("SIGKILL");
      await gone;
      await succession;
    },
    settled: () => succession,
    async [Symbol.asyncDispose]() {
      isEnding = true;
      await succession.catch(() => undefined);
      await Promise.all([living, spare].map(end));
      await database.close();
    },
  };
}

/** As if a minute had passed since the last sign of life. */
async function makeOld(database: Database): Promise<void> {
  await database.drizzle.execute("update instance_leases set leased_until = now() - interval '1 second'");
  await database.drizzle.execute("update worker_pools set beat_at = now() - interval '10 minutes'");
  // For one that died before its first heartbeat, the reaper goes by the age of its locks.
  await database.drizzle.execute(
    "update graphile_worker._private_jobs set locked_at = locked_at - interval '10 minutes' where locked_at is not null",
  );
}

function load(): ChildProcess {
  return fork(program, { stdio: ["ignore", "ignore", "inherit", "ipc"], env: { PATH: process.env["PATH"] } });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** That it is gone is seen by its exit. */
function send(child: ChildProcess, message: ToWorker): void {
  child.send(message, () => undefined);
}

async function heard(child: ChildProcess, type: FromWorker["type"]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onMessage = (message: FromWorker): void => void (message.type === type && resolve());
  const onExit = (): void => reject(new Error(`The worker ended before it was ${type}.`));
  child.on("message", onMessage).once("exit", onExit);
  try {
    await promise;
  } finally {
    child.off("message", onMessage).off("exit", onExit);
  }
}
