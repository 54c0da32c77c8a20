import { existsSync } from "node:fs";
import { createLog, readEnv, startWorker, toWorkerOptions } from "@sewa/worker";

/** What happens there: it kills itself, stops until SIGCONT, does nothing else until a file exists, or takes memory without end. */
export type Harm = "kill" | "freeze" | { readonly blockUntil: string } | "exhaust";

/** Where harm comes: around the nth effect of this name that happens from now on. */
export interface CrashPoint {
  readonly name: string;
  readonly nth: number;
  readonly when: "before" | "after";
  /** `kill` unless told otherwise. */
  readonly harm?: Harm;
}

/** `start` comes once; the process loads its code before that and waits. `arm` counts anew from its arrival. */
export type ToWorker =
  | { readonly type: "start"; readonly env: Readonly<Record<string, string>> }
  | { readonly type: "arm"; readonly point: CrashPoint | null };

export type FromWorker =
  | { readonly type: "started"; readonly poolId: string; readonly internalUrl: string }
  | { readonly type: "armed" }
  /** The harm that it was armed with comes now. */
  | { readonly type: "struck" }
  | { readonly type: "effect"; readonly name: string };

const counts = new Map<string, number>();
let armed: CrashPoint | null = null;

/** A name is told before its change begins, and the telling is waited for: a crash must not swallow it. */
async function effect<T>(name: string, change: () => Promise<T>): Promise<T> {
  const nth = (counts.get(name) ?? 0) + 1;
  counts.set(name, nth);
  const point = armed !== null && armed.name === name && armed.nth === nth ? armed : null;
  await tell({ type: "effect", name });
  if (point?.when === "before") await strike(point);
  const result = await change();
  if (point?.when === "after") await strike(point);
  return result;
}

async function strike({ harm = "kill" }: CrashPoint): Promise<void> {
  armed = null;
  if (harm === "kill") process.kill(process.pid, "SIGKILL");
  await tell({ type: "struck" });
  if (harm === "freeze") process.kill(process.pid, "SIGSTOP");
  else if (harm === "exhaust") exhaust();
  else if (typeof harm === "object") while (!existsSync(harm.blockUntil));
}

function exhaust(): never {
  const hoard: number[][] = [];
  for (;;) hoard.push(Array.from({ length: 1_000_000 }, () => hoard.length + 0.5));
}

function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

async function obey(message: ToWorker): Promise<void> {
  if (message.type === "arm") {
    armed = message.point;
    counts.clear();
    await tell({ type: "armed" });
    return;
  }
  const variables = readEnv(message.env);
  const worker = await startWorker({
    ...toWorkerOptions(variables, createLog({ level: variables.LOG_LEVEL })),
    effect,
  });
  // As apps/worker/main.ts does: who employs it starts another.
  void worker.closed.then((end) => end === "broken" && process.exit(70));
  process.once("SIGTERM", () => void worker.close().then(() => process.disconnect()));
  await tell({ type: "started", poolId: worker.poolId, internalUrl: worker.internalUrl });
}

// Without its parent nobody is left to look at what it does.
process.once("disconnect", () => process.exit());
process.on("message", (message: ToWorker) => void obey(message));
