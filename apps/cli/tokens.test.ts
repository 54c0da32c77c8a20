import { expect, test, vi } from "vitest";
import { startTestApi } from "./test-api.ts";
import { sewa, storyMs } from "./test-command.ts";

vi.setConfig({ testTimeout: storyMs });

test("a token is made, used by SEWA_TOKEN for what it is for, and ended, all from the command line", async () => {
  await using api = await startTestApi();
  const run = async (...args: string[]) => (await api.run(args)) as Record<string, unknown>;
  const { email, password } = await api.open();
  await sewa(["login", email], api.env, `${password}\n`);

  const made = await sewa(["tokens", "create", "Nightly", "--scope", "read", "apps", "--days", "90"], api.env);
  expect(made).toMatchObject({ code: 0, stderr: expect.stringMatching(/^tok_\w{26} lives until 2/) as string });
  const token = made.stdout.trim();
  expect(token).toMatch(/^sewa_k_[\w-]{49}$/);
  const program = { ...api.env, HOME: "/nonexistent", SEWA_TOKEN: token };
  expect(await api.run(["me"], program)).toMatchObject({ user: { email }, role: "owner" });
  expect(await api.run(["instances", "list"], program)).toEqual([]);
  const refused = await sewa(["orders", "quote", "uptime-kuma/free"], program);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^TOKEN_SCOPE: .*"orders"/) as string });
  const more = await sewa(["tokens", "create", "More", "--scope", "read", "--days", "30"], program);
  expect(more).toMatchObject({ code: 1, stderr: expect.stringMatching(/^TOKEN_SCOPE: No API token/) as string });

  const listed = await sewa(["tokens", "list"], api.env);
  expect(listed.stdout).toContain(token.slice(0, 12));
  expect(listed.stdout).not.toContain(token);
  const [{ id }] = (await api.run(["tokens", "list"])) as [{ id: string }];
  expect(await run("tokens", "revoke", id)).toMatchObject({ status: "revoked" });
  const ended = await sewa(["me"], program);
  expect(ended).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^UNAUTHORIZED: This API token is not/) as string,
  });

  const endless = await run("tokens", "create", "Endless", "--scope", "read", "--days", "never", "--from", "192.0.2.1");
  expect(endless).toMatchObject({ expiresAt: null, allowedNetworks: ["192.0.2.1/32"] });
  for (const args of [
    ["--days", "30"],
    ["--scope", "read"],
    ["--scope", "admin", "--days", "30"],
    ["--scope", "read", "--days", "31"],
  ]) {
    expect(await sewa(["tokens", "create", "Wrong", ...args], api.env)).toMatchObject({ code: 2, stdout: "" });
  }
});
