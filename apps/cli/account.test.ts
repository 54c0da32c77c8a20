import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { sewa, sewaProcess, storyMs } from "./test-command.ts";
import { createTokenStore } from "./token-store.ts";

vi.setConfig({ testTimeout: storyMs });

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "sewa-cli-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test("a session is kept for the api that gave it, readable by its user alone", async () => {
  await using folder = await temporaryFolder();
  const tokens = createTokenStore(folder.path);
  await tokens.keep("https://one.example", "secret-1");
  const file = join(folder.path, ".config", "sewa", "token");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await tokens.find("https://one.example")).toBe("secret-1");
  expect(await tokens.find("https://two.example")).toBeNull();
  await tokens.forget("https://one.example");
  expect(await readFile(file, "utf8")).not.toContain("secret-1");
});

test("a damaged file of sessions means to be logged out", async () => {
  await using folder = await temporaryFolder();
  const tokens = createTokenStore(folder.path);
  await tokens.keep("https://one.example", "secret-1");
  await writeFile(join(folder.path, ".config", "sewa", "token"), "{");
  expect(await tokens.find("https://one.example")).toBeNull();
});

test.each([
  [["me"], ""],
  [["login", "ana@example.com"], "correct horse\n"],
  [["orders", "list", "--json"], ""],
])("sewa %s ends with 69 when no api answers", async (args, input) => {
  await using folder = await temporaryFolder();
  const env = { SEWA_API_URL: "http://127.0.0.1:9", HOME: folder.path };
  const outcome = await sewaProcess(args, env, input);
  expect(outcome).toEqual({ code: 69, stdout: "", stderr: "The api cannot be reached at SEWA_API_URL.\n" });
});

test("a log-in without a password asks the api nothing", async () => {
  await using folder = await temporaryFolder();
  const env = { SEWA_API_URL: "http://127.0.0.1:9", HOME: folder.path };
  const outcome = await sewaProcess(["login", "ana@example.com"], env, "");
  expect(outcome).toEqual({ code: 2, stdout: "", stderr: "No password was given.\n" });
});

test("an end that destroys data is refused until the app is named", async () => {
  const outcome = await sewa(["subscriptions", "cancel", "sub_1", "--now"], { SEWA_API_URL: "http://127.0.0.1:9" });
  expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining("--confirm") as string });
});
