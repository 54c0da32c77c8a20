import { createServerLog, readEnv as readServerEnv, startServer, toServerOptions } from "@sewa/server";
import { createLog, readEnv as readWorkerEnv, startWorker, toWorkerOptions } from "@sewa/worker";
import { readEnv } from "./env.ts";
import { createNarrator, type Narrator } from "./narrator.ts";
import { startParts, webhookUrl } from "./parts.ts";
import { applyShippedCatalog, withCore } from "./seed.ts";
import { playStory } from "./story.ts";

/** The main job before your eyes, on parts that are thrown away afterwards. */
async function main(tell: Narrator): Promise<void> {
  const { DEV_PACE: pace } = readEnv();
  await using stack = new AsyncDisposableStack();
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => reject(new Interrupted(signal)));
  });
  const work = async (): Promise<void> => {
    tell.chapter("The house starts");
    const parts = stack.use(
      await tell.during(
        "PostgreSQL, a Kubernetes API, a mail server and a payment gateway are starting",
        startParts({ keepIn: null, apiPort: 0, mailPort: 0, appsPort: 0, pace }),
      ),
    );
    for (const line of parts.described) tell.note(line);
    const serverEnv = readServerEnv(parts.env);
    const workerEnv = readWorkerEnv(parts.env);
    const server = stack.use(
      await startServer(toServerOptions(serverEnv, createServerLog({ level: serverEnv.LOG_LEVEL }))),
    );
    parts.gateway.webhooks.deliverTo(webhookUrl(server.url));
    stack.use(await startWorker(toWorkerOptions(workerEnv, createLog({ level: workerEnv.LOG_LEVEL }))));
    await withCore(parts, applyShippedCatalog);
    tell.fact(`server at ${server.url}, worker running, catalog applied`);
    await playStory(parts, server.url, tell);
  };
  await Promise.race([work(), interrupted]);
}

class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const tell = createNarrator(process.stdout);
const started = performance.now();
try {
  await main(tell);
  process.stdout.write(
    `\nThe whole story, each step checked, in ${Math.round((performance.now() - started) / 1_000)} s.\n`,
  );
} catch (error) {
  if (error instanceof Interrupted) process.stdout.write("\nStopped; nothing is left running.\n");
  else process.stderr.write(`\n${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}\n`);
  process.exitCode = error instanceof Interrupted ? 130 : 1;
}
// Whatever the story still waited for is of no interest now; all that was started is stopped.
process.exit();
