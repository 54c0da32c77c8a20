import { expect, test, vi } from "vitest";
import { startTestApi } from "./test-api.ts";
import { sewa, storyMs } from "./test-command.ts";

vi.setConfig({ testTimeout: storyMs });

test("who belongs to several organizations says for which one a command speaks", async () => {
  await using api = await startTestApi();
  const run = async (...args: string[]) => (await api.run(args)) as Record<string, unknown>;
  const { email, password } = await api.open();
  await sewa(["login", email], api.env, `${password}\n`);

  const { organization } = (await run("organizations", "create", "Second shop")) as { organization: { id: string } };
  const there = ["--organization", organization.id];
  expect(await run("me", ...there)).toMatchObject({ organization: { name: "Second shop" }, role: "owner" });
  expect(await run("me")).toMatchObject({ organization: { name: "Ana" } });
  const byVariable = await sewa(["me"], { ...api.env, SEWA_ORGANIZATION: organization.id });
  expect(byVariable.stdout).toContain("Second shop");
  expect(await run("members", "invite", "budi@example.com", "viewer", ...there)).toMatchObject({ status: "pending" });
  expect((await sewa(["members", "invitations", ...there], api.env)).stdout).toContain("budi@example.com");
  const stranger = await sewa(["me", "--organization", "org_x"], api.env);
  expect(stranger).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^NOT_FOUND: No such organization/) as string,
  });
});
