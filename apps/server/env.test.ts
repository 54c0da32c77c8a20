import { ConfigurationError } from "@sewa/core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createTestDatabase } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { readEnv } from "./env.ts";
import { until } from "./test-house.ts";

const complete = {
  DATABASE_URL: "postgres://sewa@127.0.0.1/sewa",
  PORTAL_URL: "https://portal.example.com/",
  SECRETS_KEYRING: `k1:${Buffer.alloc(32, 1).toString("base64")}`,
};

test("a complete environment is read, with the rest filled in", () => {
  expect(
    readEnv({
      ...complete,
      CORS_ORIGINS: "https://a.example, http://127.0.0.1:5173",
      API_URL: "https://api.example.com/",
    }),
  ).toMatchObject({
    PORT: 3_000,
    INTERNAL_PORT: 3_001,
    CORS_ORIGINS: ["https://a.example", "http://127.0.0.1:5173"],
    API_URL: "https://api.example.com",
    TRUST_PROXY: 0,
    STOP_DELAY_SECONDS: 5,
  });
});

test("all problems are told at once, by variable and never by value", () => {
  const wrong = {
    DATABASE_URL: "mysql://user:hunter2@host/db",
    PORT: "99999",
    CORS_ORIGINS: "https://a.example/path",
    SECRETS_KEYRING: "",
    LOG_LEVEL: "loud",
  };
  const problems = (() => {
    try {
      return readEnv(wrong) && [];
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  })();
  expect(new Set(problems.map((line) => line.split(":")[0]))).toEqual(
    new Set(["CORS_ORIGINS", "DATABASE_URL", "LOG_LEVEL", "PORT", "PORTAL_URL", "SECRETS_KEYRING"]),
  );
  expect(problems.join("\n")).not.toMatch(/hunter2|99999|loud|a\.example/);
});

test("half of a provider, or one without the address to come back to, is refused at start, without a word of its secret", () => {
  const acme = { name: "acme", label: "Acme", issuer: "https://acme.test", clientId: "sewa", clientSecret: "hunter2" };
  const problemsOf = (more: Readonly<Record<string, string>>): readonly string[] => {
    try {
      readEnv({ ...complete, ...more });
      return [];
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  };
  const API_URL = "https://api.example.com";
  const list = (...entries: readonly object[]) => ({ API_URL, OIDC_PROVIDERS: JSON.stringify(entries) });
  expect(problemsOf({ API_URL, GITHUB_CLIENT_ID: "id" })).toEqual(["GITHUB_CLIENT_SECRET: has to be set."]);
  expect(problemsOf({ API_URL, GOOGLE_CLIENT_SECRET: "hunter2" })).toEqual(["GOOGLE_CLIENT_ID: has to be set."]);
  expect(problemsOf({ GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "hunter2" })).toEqual(["API_URL: has to be set."]);
  expect(problemsOf(list({ ...acme, clientSecret: undefined }))).toEqual([
    'OIDC_PROVIDERS: Entry 1: "clientSecret" is missing or wrong.',
  ]);
  for (const issuer of ["http://acme.test", "https://hunter2@acme.test", "acme.test", "file:///etc/passwd"]) {
    expect(problemsOf(list(acme, { ...acme, name: "other", issuer }))).toEqual([
      'OIDC_PROVIDERS: Entry 2: "issuer" is missing or wrong.',
    ]);
  }
  expect(problemsOf(list(acme, acme))).toEqual(["OIDC_PROVIDERS: Two entries have the same name."]);
  expect(problemsOf({ API_URL, OIDC_PROVIDERS: '[{"clientSecret":"hunter2"' })).toEqual(["OIDC_PROVIDERS: Not JSON."]);
  expect(problemsOf(list({ ...acme, name: "github" }))).toHaveLength(1);
  expect(problemsOf(list(acme, { ...acme, name: "here", issuer: "http://127.0.0.1:4000" }))).toEqual([]);
});

test("O6 with a wrong environment the process ends with 78 and says which variables", async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], {
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(78);
  for (const name of ["DATABASE_URL", "PORTAL_URL", "SECRETS_KEYRING"])
    expect(said).toContain(`${name}: has to be set.`);
});

test("the process serves until it is told to stop, and then ends with 0", async () => {
  await using database = await createTestDatabase();
  const env = {
    ...complete,
    PATH: process.env["PATH"],
    DATABASE_URL: database.url,
    PORT: "0",
    INTERNAL_PORT: "0",
    STOP_DELAY_SECONDS: "0",
  };
  const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, "close");
  try {
    const url = await until("it listens", () => /"url":"([^"]+)"/.exec(said)?.[1]);
    expect(await fetch(`${url}/readyz`).then((response) => response.json())).toEqual({ status: "ready" });
    child.kill("SIGTERM");
    expect(await closed).toEqual([0, null]);
    expect(said).toContain("server stopped");
  } finally {
    child.kill("SIGKILL");
  }
});
