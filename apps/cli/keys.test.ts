import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectAsSuperuser, createTestDatabase } from "@sewa/db/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { repository, sewa, storyMs } from "./test-command.ts";
import { startHouseProcess } from "./test-process.ts";

vi.setConfig({ testTimeout: 2 * storyMs });

const [old, recent] = [7, 8].map((byte) => `k${byte}:${Buffer.alloc(32, byte).toString("base64")}`) as [string, string];

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  database = await createTestDatabase();
  env = { DATABASE_URL: database.url, PORTAL_URL: "https://portal.example.com/", SECRETS_KEYRING: old };
  // Somebody does something, so that there is something to sign.
  await sewa(["admin", "create", "ana@example.com"], env);
});
afterAll(() => database[Symbol.asyncDispose]());

function workerEnv(keyring: string): Readonly<Record<string, string>> {
  const own = { SMTP_URL: "smtp://127.0.0.1:9", MAIL_FROM: "a@b.test", WORKER_INTERNAL_PORT: "0" };
  return { ...env, ...own, SECRETS_KEYRING: keyring };
}

/** Asks again until it is so. */
async function untilShown(args: readonly string[], variables: Readonly<Record<string, string>>, shown: RegExp) {
  for (;;) {
    const outcome = await sewa(args, variables);
    if (shown.test(outcome.stdout)) return outcome;
  }
}

test("keys are rotated by the workers, and only then a process starts without the old one", async () => {
  {
    await using _ = await startHouseProcess("apps/worker/main.ts", workerEnv(old), /worker started/);
    await sewa(["jobs", "run", "audit:check"], env);
    const before = await untilShown(["keys", "status"], env, /^k7 .* [1-9]\d*$/m);
    expect(before.stdout).toMatch(/^k7 +first +0 +0 +[1-9]\d*$/m);
  }
  const both = { ...env, SECRETS_KEYRING: `${recent},${old}` };
  await expect(
    promisify(execFile)(process.execPath, [join(repository, "apps/worker/main.ts")], { env: workerEnv(recent) }),
  ).rejects.toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/SECRETS_KEYRING: lacks the key k7, which [1-9]\d* row\(s\) still need/) as string,
  });
  expect(await sewa(["keys", "status"], { ...env, SECRETS_KEYRING: recent })).toMatchObject({ code: 3 });
  expect(await sewa(["keys", "rotate"], both)).toMatchObject({ code: 0 });
  {
    await using _ = await startHouseProcess("apps/worker/main.ts", workerEnv(both.SECRETS_KEYRING), /worker started/);
    const after = await untilShown(["keys", "status"], both, /ended at/);
    expect(after.stdout).toMatch(/^k8 +first +0 +0 +[1-9]\d*$/m);
    expect(after.stdout).toMatch(/^k7 +yes +0 +0 +0$/m);
    for (const key of [old, recent]) expect(after.stdout).not.toContain(key.split(":")[1]);
  }
  await using _ = await startHouseProcess("apps/worker/main.ts", workerEnv(recent), /worker started/);
  env = { ...env, SECRETS_KEYRING: recent };
});

test("the audit is verified, searched and made to forget a person; a row that was touched is named", async () => {
  expect(await sewa(["audit", "verify"], env)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The audit holds: \d/) as string,
  });
  const listed = await sewa(["audit", "list", "--action", "operator.invited", "--json"], env);
  const [entry] = JSON.parse(listed.stdout) as readonly { readonly id: string; readonly actor: string }[];
  expect(entry).toMatchObject({ actor: "system:cli" });
  const nobody = `usr_${"0".repeat(26)}`;
  expect(await sewa(["audit", "forget", nobody, "--reason", "asked"], env)).toMatchObject({
    stdout: "Erased from 0 entries.\n",
  });
  expect(await sewa(["audit", "list", "--user", "ana"], env)).toMatchObject({ code: 2 });
  await using owner = connectAsSuperuser(database.url);
  await owner.drizzle.execute(
    `alter table audit_entries disable trigger user; update audit_entries set actor = 'user:x' where id = '${entry!.id}'`,
  );
  const outcome = await sewa(["audit", "verify"], env);
  expect(outcome).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`entry ${entry!.id}: It is not what was written.`) as string,
  });
});
