import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterEach, expect, test, vi } from "vitest";
import { startEmbeddedPostgres } from "./start.ts";

const directories: string[] = [];

function directory(mode = 0o755): string {
  const path = mkdtempSync(join(tmpdir(), "sewa-embedded-test-"));
  chmodSync(path, mode);
  directories.push(path);
  return path;
}

afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true });
});

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

test("a temporary server answers in UTF-8 and UTC and leaves nothing behind", async () => {
  const server = await startEmbeddedPostgres();
  expect(
    await query(
      server.url,
      "select current_setting('server_encoding') as encoding, current_setting('TimeZone') as zone",
    ),
  ).toEqual([{ encoding: "UTF8", zone: "UTC" }]);
  await server.stop();
  await server.stop(); // Twice is once.
  expect(existsSync(server.dataDir)).toBe(false);
  await expect(query(server.url, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("kept data survives stop and start, behind the same password, which only its owner can read", async () => {
  const dataDir = join(directory(), "postgres");
  {
    await using server = await startEmbeddedPostgres({ dataDir, durable: false });
    expect(server.dataDir).toBe(dataDir);
    await query(server.url, "create table kept as select 42 as answer");
  }
  expect(statSync(`${dataDir}.password`).mode & 0o777).toBe(0o600);
  await using server = await startEmbeddedPostgres({ dataDir });
  expect(await query(server.url, "select answer, current_setting('fsync') as fsync from kept")).toEqual([
    { answer: 42, fsync: "on" },
  ]);
  expect(decodeURIComponent(new URL(server.url).password)).toBe(readFileSync(`${dataDir}.password`, "utf8").trim());
});

async function startInAnotherProcess(...parameters: string[]): Promise<{ url: string; dataDir: string; kill(): void }> {
  const program = fileURLToPath(new URL("testing-parent.ts", import.meta.url));
  const parent = spawn(process.execPath, [program, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string];
  return { ...(JSON.parse(line) as { url: string; dataDir: string }), kill: () => parent.kill("SIGKILL") };
}

test("the server and its temporary data go when the process that started them is killed with SIGKILL", async () => {
  const other = await startInAnotherProcess();
  expect(await query(other.url, "select 1 as one")).toEqual([{ one: 1 }]);
  other.kill();
  await vi.waitUntil(() => !existsSync(other.dataDir), { timeout: 15_000, interval: 20 });
  await expect(query(other.url, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("whoever starts again at once after a kill waits for the old server and finds what it had committed", async () => {
  const dataDir = join(directory(), "postgres");
  const killed = await startInAnotherProcess(dataDir);
  await query(killed.url, "create table kept as select 42 as answer");
  killed.kill();
  await using server = await startEmbeddedPostgres({ dataDir });
  expect(await query(server.url, "select answer from kept")).toEqual([{ answer: 42 }]);
});

test("`ended` tells when PostgreSQL dies by itself, and stop() still returns", async () => {
  await using server = await startEmbeddedPostgres();
  const [row] = await query(server.url, "select pg_read_file('postmaster.pid') as file");
  process.kill(Number(String(row?.["file"]).split("\n")[0]), "SIGQUIT");
  await server.ended;
  await expect(server.stop()).resolves.toBeUndefined();
});

test("a second server on the same data is refused in words", async () => {
  const dataDir = join(directory(), "postgres");
  await using first = await startEmbeddedPostgres({ dataDir, durable: false });
  await expect(startEmbeddedPostgres({ dataDir, durable: false })).rejects.toThrow(
    `Another PostgreSQL already runs on the data in ${dataDir}`,
  );
  expect(await query(first.url, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a port in use is named", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await expect(startEmbeddedPostgres({ port })).rejects.toThrow(`port ${port}`);
  other.close();
});

test("data of another major version, and what is no data at all, is refused in words and left alone", async () => {
  const dataDir = join(directory(), "postgres");
  await (await startEmbeddedPostgres({ dataDir, durable: false })).stop();
  writeFileSync(join(dataDir, "PG_VERSION"), "17\n");
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow("was written by PostgreSQL 17, this one is 18");
  const stranger = directory();
  writeFileSync(join(stranger, "letter.txt"), "mine");
  await expect(startEmbeddedPostgres({ dataDir: stranger })).rejects.toThrow("is not a PostgreSQL data directory");
  expect(readFileSync(join(stranger, "letter.txt"), "utf8")).toBe("mine");
});

test("a start that was broken off during initdb does not stand in the way of the next", async () => {
  const dataDir = join(directory(), "postgres");
  const half = `${dataDir}.unfinished`;
  mkdirSync(half);
  writeFileSync(join(half, "PG_VERSION"), "18\n");
  await using server = await startEmbeddedPostgres({ dataDir, durable: false });
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  expect(existsSync(half)).toBe(false);
});

test.runIf(process.getuid?.() === 0)(
  "root's data goes where PostgreSQL's account can enter, and a file beside names the place",
  async () => {
    const dataDir = join(directory(0o700), "postgres");
    const first = await startEmbeddedPostgres({ dataDir, durable: false });
    directories.push(join(first.dataDir, ".."));
    await query(first.url, "create table kept as select 7 as answer");
    await first.stop();
    expect(first.dataDir).not.toBe(dataDir);
    expect(readFileSync(`${dataDir}.path`, "utf8").trim()).toBe(first.dataDir);
    await using second = await startEmbeddedPostgres({ dataDir, durable: false });
    expect(second.dataDir).toBe(first.dataDir);
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 7 }]);
  },
);
