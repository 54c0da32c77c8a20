import { connectDatabase } from "@sewa/db";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startTestApi, type TestApi } from "./test-api.ts";
import { sewa, storyMs } from "./test-command.ts";

vi.setConfig({ testTimeout: storyMs, hookTimeout: storyMs });

let api: TestApi;
let ana: { readonly email: string; readonly password: string };
beforeAll(async () => {
  api = await startTestApi();
  ana = await api.open();
});
afterAll(() => api[Symbol.asyncDispose]());

async function sql(statement: string): Promise<void> {
  await using db = connectDatabase({ url: api.env["DATABASE_URL"] ?? "", role: "sewa_worker", max: 1 });
  await db.drizzle.execute(statement);
}

test("what the server wants confirmed asks for the password again, and goes on with the right one", async () => {
  expect(await sewa(["login", ana.email], api.env, `${ana.password}\n`)).toMatchObject({ code: 0 });
  await sql("update sessions set confirmed_at = confirmed_at - interval '15 minutes'");
  const reveal = ["instances", "credentials", "ins_nobodys"];
  const refused = await sewa(reveal, api.env, "wrong password\n");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^INVALID_CREDENTIALS: /) });
  const silent = await sewa(reveal, api.env, "");
  expect(silent).toEqual({ code: 2, stdout: "", stderr: "No password was given.\n" });
  const confirmed = await sewa(reveal, api.env, `${ana.password}\n`);
  expect(confirmed).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /) });
  // Confirmed once, it asks for nothing.
  expect(await sewa(reveal, api.env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /) });
});

test("an operator is suspended from the command line while another one is there, and logs in again afterwards", async () => {
  const suspend = ["admin", "suspend", ana.email, "--reason", "Left the house."];
  expect(await sewa(suspend, api.env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^CONFLICT: /) });
  await sql(
    "insert into users (id, email, name, locale, is_operator) values (gen_random_uuid(), 'op@example.com', 'Op', 'en', true)",
  );
  expect(await sewa(suspend, api.env)).toMatchObject({ code: 0, stderr: "" });
  expect(await sewa(["me"], api.env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^UNAUTHORIZED: /) });
  const login = ["login", ana.email];
  expect(await sewa(login, api.env, `${ana.password}\n`)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^ACCOUNT_SUSPENDED: /),
  });
  expect(await sewa(["admin", "unsuspend", ana.email, "--reason", "Came back."], api.env)).toMatchObject({ code: 0 });
  expect(await sewa(login, api.env, `${ana.password}\n`)).toMatchObject({ code: 0 });
});

test("an operator resets a second factor, and is told where there is none", async () => {
  const reset = ["admin", "reset-second-factor", ana.email, "--reason", "Seen with their passport."];
  expect(await sewa(reset, api.env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^CONFLICT: /) });
  await sql(
    `insert into second_factors (user_id, key_id, sealed, enabled_at, last_counter)
      select id, 'x', 'x', now(), 1 from users where email = '${ana.email}'`,
  );
  expect(await sewa(reset, api.env)).toMatchObject({
    code: 0,
    stdout: `${ana.email} logs in with the password alone, and was logged out everywhere.\n`,
  });
  expect(await sewa(["me"], api.env)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^UNAUTHORIZED: /) });
});
