import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseBlueprint } from "./parse-blueprint.ts";
import { resolveBlueprint } from "./resolve-blueprint.ts";
import { instance, planLimits, uptimeKumaText } from "./testing/definitions.ts";

// The client that the app's image carries is not ours to install, so a stand-in answers as the app's server does:
// one owner, kept in a file, whoever sets up first; `open` accepts every setup, `down` never connects.
const clientModule = `
const { readFileSync, writeFileSync } = require("node:fs");
const refusal = "Uptime Kuma has been initialized. If you want to run setup again, please delete the database.";
const load = () => JSON.parse(readFileSync(process.env.STATE, "utf8"));
function answer(event, a, b) {
  const state = load();
  if (event === "needSetup") return state.owner === null;
  if (event === "setup") {
    if (state.owner !== null && !state.open) return { ok: false, msg: refusal };
    writeFileSync(process.env.STATE, JSON.stringify({ ...state, owner: { username: a, password: b } }));
    return { ok: true, msg: "successAdded" };
  }
  const { owner } = state;
  const isOwner = owner !== null && owner.username === a.username && owner.password === a.password;
  if (isOwner && state.twoFactor) return { tokenRequired: true };
  return isOwner ? { ok: true, token: "t" } : { ok: false, msg: "authIncorrectCreds" };
}
exports.io = () => ({
  once(event, listener) {
    if (event === (load().down ? "connect_error" : "info")) setImmediate(listener, new Error("websocket error"));
    return this;
  },
  timeout: () => ({ emitWithAck: async (event, ...data) => answer(event, ...data) }),
  disconnect() {},
});
`;

interface AppState {
  readonly owner: { readonly username: string; readonly password: string } | null;
  readonly open?: boolean;
  readonly down?: boolean;
  readonly twoFactor?: boolean;
}

let folder: string;
let stateFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "claim-"));
  stateFile = join(folder, "state.json");
  mkdirSync(join(folder, "node_modules", "socket.io-client"), { recursive: true });
  writeFileSync(join(folder, "node_modules", "socket.io-client", "index.js"), clientModule);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { claim } = resolveBlueprint(parseBlueprint(uptimeKumaText), { values: {}, limits: planLimits, instance });
const credentials = { username: "admin", password: "aB3aB3aB3aB3aB3aB3aB3aB3" };

function setApp(state: AppState): void {
  writeFileSync(stateFile, JSON.stringify(state));
}

/** Runs the claim as its job does: the image's working directory, the app's own client, its environment. */
async function runClaim(): Promise<number | null> {
  const [command, ...rest] = [...(claim?.command ?? []), ...(claim?.args ?? [])];
  expect(command).toBe("node");
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const env = {
    STATE: stateFile,
    ADMIN_USER: credentials.username,
    ADMIN_PASSWORD: credentials.password,
    CLAIM_SECONDS: "0",
  };
  const child = spawn(process.execPath, rest, { cwd: folder, env, stdio: "ignore" });
  child.once("error", reject).once("exit", resolve);
  return promise;
}

describe("the owner account of a new app is claimed once", () => {
  test("a new app gets our owner, and a second run proves it again", async () => {
    setApp({ owner: null });
    expect(await runClaim()).toBe(0);
    expect(JSON.parse(readFileSync(stateFile, "utf8"))).toEqual({ owner: credentials });
    expect(await runClaim()).toBe(0);
  });

  test("our owner with a second factor is still ours", async () => {
    setApp({ owner: credentials, twoFactor: true });
    expect(await runClaim()).toBe(0);
  });

  test.each<[string, AppState]>([
    ["somebody else was first", { owner: { username: "admin", password: "other" } }],
    ["the app accepts a second setup", { owner: null, open: true }],
    ["the app does not answer in time", { owner: null, down: true }],
  ])("it fails when %s", async (_name, state) => {
    setApp(state);
    expect(await runClaim()).toBe(1);
  });
});

test("the claim and its own limit leave the job time to report", () => {
  const seconds = claim?.env.find(({ name }) => name === "CLAIM_SECONDS");
  expect(seconds).toEqual({ name: "CLAIM_SECONDS", value: "150" });
  expect(claim?.timeoutSeconds).toBeGreaterThan(150);
  expect(claim?.env).toContainEqual({ name: "APP_URL", value: "http://app:3001" });
  expect(claim?.env).toContainEqual({ name: "ADMIN_PASSWORD", secret: "adminPassword" });
});
