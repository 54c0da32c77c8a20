import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { connectDatabase, type Database } from "@sewa/db";
import { sql } from "drizzle-orm";
import { programFile } from "../programs.ts";
import type { CrashPoint, FromWorker, ToWorker } from "./worker-process.ts";

const patienceMs = 60_000;
const pauseMs = 200;

/** Workers as processes that can be killed, and a spare one that has its code loaded already. */
export interface Crew extends AsyncDisposable {
  /** Names of the effects of all workers since the last `forget`, in order. */
  readonly effects: readonly string[];
  /** Those at work; who has died is replaced at its place. */
  readonly members: readonly Member[];
  forget(): void;
  /** Resolves when all living workers know, or the one that is named. */
  arm(point: CrashPoint | null, member?: Member): Promise<void>;
  /** How many workers were killed, by themselves or by `kill`. */
  deaths(): number;
  /** `kill -9` now, of the first one unless told whom. Its successor is at work when this resolves. */
  kill(member?: Member): Promise<void>;
  /** Resolves when successors of all who have died are at work. Rejects if one could not start. */
  settled(): Promise<void>;
}

export interface Member {
  readonly child: ChildProcess;
  readonly poolId: string;
  readonly internalUrl: string;
  /** The harm that it was armed with last has come over it. */
  isStruck(): boolean;
}

export interface CrewOptions {
  /** How many work at the same time; 1 unless told otherwise. */
  readonly size?: number;
  /** False: rows of the dead are left as they are, and who takes over has to find them in its own time. */
  readonly agesRows?: boolean;
  /** Further arguments for Node. */
  readonly nodeArguments?: readonly string[];
  /** For those that say much when they die. */
  readonly isQuiet?: boolean;
}

/**
 * Who dies is replaced at once. The minute for which a dead worker's lease and heartbeat stand is not waited for: its rows
 * are made old instead, which is all that the minute does.
 */
export async function startCrew(env: Readonly<Record<string, string>>, options: CrewOptions = {}): Promise<Crew> {
  const { size = 1, agesRows = true } = options;
  const database = connectDatabase({ url: env["DATABASE_URL"] ?? "", role: "sewa_worker", max: 1 });
  const effects: string[] = [];
  let deaths = 0;
  let isEnding = false;
  const program = await programFile("tests/system/faults/worker-process.ts");
  let spare = load(program, options);
  const members: Member[] = [];
  let succession: Promise<void> = Promise.resolve();

  const employ = async (place: number): Promise<void> => {
    const child = spare;
    spare = load(program, options);
    let isStruck = false;
    child.on("message", (message: FromWorker) => {
      if (message.type === "effect") effects.push(message.name);
      if (message.type === "struck" || message.type === "armed") isStruck = message.type === "struck";
    });
    const started = heard(child, "started");
    send(child, { type: "start", env });
    const { poolId, internalUrl } = await started;
    members[place] = { child, poolId, internalUrl, isStruck: () => isStruck };
    child.once("exit", () => {
      if (isEnding) return;
      deaths += 1;
      const succeeded = succeed(place, poolId);
      succession = Promise.all([succession, succeeded]).then(() => undefined);
      // Whoever asks with `settled` is told; until then it is nobody's unhandled rejection.
      succession.catch(() => undefined);
    });
  };
  /** The world may be away while it starts; a supervisor tries again. */
  const succeed = async (place: number, poolId: string): Promise<void> => {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        if (agesRows) await makeOld(database, poolId);
        return await employ(place);
      } catch (error) {
        if (isEnding || performance.now() > deadline) throw error;
      }
      await setTimeout(pauseMs);
    }
  };
  for (let place = 0; place < size; place += 1) await employ(place);

  const armOne = async (place: number, point: CrashPoint | null): Promise<void> => {
    for (;;) {
      await succession;
      const { child } = members[place]!;
      try {
        const armed = heard(child, "armed");
        send(child, { type: "arm", point });
        await armed;
        return;
      } catch (error) {
        // It died of what it was armed with before; its successor is told instead.
        if (child.signalCode === null) throw error;
      }
    }
  };
  return {
    effects,
    members,
    forget: () => void (effects.length = 0),
    async arm(point, member) {
      const places = members
        .map((_, place) => place)
        .filter((place) => member === undefined || members[place] === member);
      await Promise.all(places.map((place) => armOne(place, point)));
    },
    deaths: () => deaths,
    async kill(member) {
      await succession;
      const { child } = member ?? members[0]!;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      await succession;
    },
    settled: () => succession,
    async [Symbol.asyncDispose]() {
      isEnding = true;
      await succession.catch(() => undefined);
      await Promise.all([...members.map(({ child }) => child), spare].map(end));
      await database.close();
    },
  };
}

/** As if a minute had passed since the last sign of life of this pool. */
export async function makeOld(database: Database, poolId: string): Promise<void> {
  const { drizzle } = database;
  await drizzle.execute(sql`
    update instance_leases set leased_until = now() - interval '1 second' where holder = ${poolId}`);
  await drizzle.execute(sql`
    update worker_pools set beat_at = now() - interval '10 minutes' where pool_id = ${poolId} and state = 'running'`);
  // For one that died before its first heartbeat, the reaper goes by the age of its locks.
  await drizzle.execute(sql`
    update graphile_worker._private_jobs set locked_at = locked_at - interval '10 minutes' where locked_by = ${poolId}`);
}

function load(program: string, { nodeArguments = [], isQuiet = false }: CrewOptions): ChildProcess {
  return fork(program, {
    stdio: ["ignore", "ignore", isQuiet ? "ignore" : "inherit", "ipc"],
    env: { PATH: process.env["PATH"] },
    execArgv: [...process.execArgv, ...nodeArguments],
  });
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

async function heard<T extends FromWorker["type"]>(
  child: ChildProcess,
  type: T,
): Promise<Extract<FromWorker, { type: T }>> {
  const { promise, resolve, reject } = Promise.withResolvers<Extract<FromWorker, { type: T }>>();
  const onMessage = (message: FromWorker): void => {
    if (message.type === type) resolve(message as Extract<FromWorker, { type: T }>);
  };
  const onExit = (): void => reject(new Error(`The worker ended before it was ${type}.`));
  child.on("message", onMessage).once("exit", onExit);
  try {
    return await promise;
  } finally {
    child.off("message", onMessage).off("exit", onExit);
  }
}
