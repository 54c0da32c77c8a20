import { readFile } from "node:fs/promises";
import { join } from "node:path";
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

test("a person takes everything along as lines of JSON, and the only operator is told why they cannot go", async () => {
  expect(await sewa(["login", ana.email], api.env, `${ana.password}\n`)).toMatchObject({ code: 0 });
  const file = join(api.env["HOME"] ?? "", "mine.jsonl");
  expect(await sewa(["export", "--output", file], api.env)).toMatchObject({ code: 0, stderr: "" });
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as { table: string; row: { email?: string } });
  expect(records.find(({ table }) => table === "users")?.row.email).toBe(ana.email);
  expect(await sewa(["export", "--output", file], api.env)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/cannot be written/),
  });
  expect(await api.run(["account", "preview-deletion"])).toMatchObject({ obstacles: [{ code: "LAST_OPERATOR" }] });
  expect(await sewa(["account", "delete", ana.email], api.env)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^DELETION_BLOCKED: /),
  });
  expect(await sewa(["users", "delete", ana.email, "--reason", "Asked."], api.env)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^DELETION_BLOCKED: /),
  });
});

test("an operator deletes somebody from the command line, who is nobody afterwards", async () => {
  await api.run(["admin", "create", "bo@example.com", "--name", "Bo"]);
  expect(await api.run(["users", "preview-deletion", "bo@example.com"])).toMatchObject({
    organizations: [{ becomes: "closed" }],
  });
  expect(await api.run(["users", "delete", "bo@example.com", "--reason", "Asked."])).toMatchObject({
    userId: expect.stringMatching(/^usr_/),
  });
  expect(await sewa(["users", "delete", "bo@example.com", "--reason", "Asked."], api.env)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^NOT_FOUND: /),
  });
});
