import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, parseKeyring, recordNodes, systemClock, toCoreConfig, uuidV7Ids } from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import { expect } from "vitest";
import { envSchema } from "./env.ts";
import { sewa } from "./test-command.ts";
import { startHouseProcess } from "./test-process.ts";

/** The api as it is installed: a server process on a database of its own, with a machine that has room. */
export interface TestApi extends AsyncDisposable {
  /** For commands of operators and of customers. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `sewa … --json`, which has to succeed, and answers with what it printed. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<unknown>;
  /** The catalog is there, and Ana, an operator who has accepted her invitation and rents apps too; she is not logged in. */
  open(): Promise<{ readonly email: string; readonly password: string }>;
}

const keyring = `test:${Buffer.alloc(32, 7).toString("base64")}`;

export async function startTestApi(): Promise<TestApi> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "sewa-cli-test-"));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const house = { DATABASE_URL: database.url, PORTAL_URL: "http://portal.test", SECRETS_KEYRING: keyring };
  await addMachine(house);
  const variables = { ...house, PORT: "0", INTERNAL_PORT: "0", APPS_SCHEME: "http" };
  const started = /"url":"(http:[^"]+)"/;
  const server = opening.use(await startHouseProcess("apps/server/main.ts", variables, started));
  const url = started.exec(server.greeting)?.[1] ?? "";
  const resources = opening.move();
  const env = { ...house, SEWA_API_URL: url, HOME: folder };
  const run: TestApi["run"] = async (args, further = {}) => {
    const outcome = await sewa([...args, "--json"], { ...env, ...further });
    expect({ args, ...outcome }).toMatchObject({ code: 0, stderr: "" });
    return JSON.parse(outcome.stdout);
  };
  return {
    env,
    run,
    async open() {
      await run(["catalog", "apply", "packages/blueprint/catalog"]);
      const email = "ana@example.com";
      const password = "correct horse battery";
      const invite = (await run(["admin", "create", email, "--name", "Ana"])) as { url: string };
      // As the portal does when the link is opened.
      const token = new URL(invite.url).searchParams.get("token");
      const answer = await fetch(`${url}/trpc/auth.acceptOperatorInvite`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ json: { token, password } }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return { email, password };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function addMachine(house: Readonly<Record<string, string>>): Promise<void> {
  const env = envSchema.parse(house);
  await using db = connectDatabase({ url: env.DATABASE_URL, role: "sewa_worker", max: 1 });
  const config = toCoreConfig({ ...env, PORTAL_URL: "http://portal.test", SECRETS_KEYRING: parseKeyring(keyring) });
  const ids = uuidV7Ids(systemClock);
  const observer = { event: () => undefined };
  const ctx = createContext(
    { db, clock: systemClock, ids, keyring: parseKeyring(keyring), config, observer },
    { actor: { type: "system", name: "cli" } },
  );
  const machine = {
    name: "pc-2",
    role: "worker",
    pool: "default",
    ready: true,
    schedulable: true,
    conditions: [],
  } as const;
  await recordNodes(ctx, [{ ...machine, allocatableCpuMillis: 8_000, allocatableMemoryBytes: 32 * 2 ** 30 }]);
}
