import { post, runJob } from "@sewa/core";
import { connectAsSuperuser } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { createLog } from "./log.ts";
import { startWorker, type Worker } from "./start-worker.ts";
import { startTestHouse, type TestHouse, until } from "./test-house.ts";

async function check(house: TestHouse, mode: "recent" | "whole"): Promise<void> {
  const { key } = await runJob(house.core, "books:check", { mode });
  expect(key).toBe(`books:check:${mode}`);
  await isOver(house, key);
}

async function isOver(house: TestHouse, key: string): Promise<void> {
  await until(`${key} is over`, async () => {
    const [row] = await house.sql(`select 1 as waits from graphile_worker.jobs where key = '${key}'`);
    return row === undefined;
  });
}

async function metricOf(worker: Worker, line: string): Promise<number> {
  const text = await (await fetch(`${worker.internalUrl}/metrics`)).text();
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length) ?? Number.NaN);
}

test("what is wrong with the books is logged as an error and told by every worker, and its app runs on", async () => {
  await using house = await startTestHouse();
  const lines: string[] = [];
  const log = createLog({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const said = (message: string) =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === message);
  await using worker = await startWorker({ ...house.options, log });
  const instanceId = await house.order();
  await house.running(instanceId);
  await check(house, "recent");
  expect(await metricOf(worker, "sewa_organizations_parked")).toBe(0);
  expect(await metricOf(worker, 'sewa_books_checked_at_seconds{mode="whole"}')).toBe(0);

  await house.sql("update billing_periods set period_index = 3");
  await check(house, "whole");
  const errors = 50;
  expect(said("books are wrong")).toMatchObject([{ level: errors, check: "M14", task: "books:check" }]);
  expect(said("organization parked")).toMatchObject([
    { level: errors, reason: "M14", organizationId: house.core.organizationId },
  ]);
  await using other = await startWorker(house.options);
  await until("another worker tells it", async () => (await metricOf(other, "sewa_organizations_parked")) === 1);
  expect(await metricOf(other, 'sewa_books_findings{check="M14",kind="books"}')).toBe(1);
  expect(await metricOf(other, 'sewa_books_findings{check="M16",kind="books"}')).toBe(0);
  expect(await metricOf(other, 'sewa_books_checked_at_seconds{mode="whole"}')).toBeGreaterThan(1.7e9);
  expect((await house.running(instanceId)).instance).toMatchObject({ desiredPhase: "running" });
});

test("a ledger that was changed unseen is logged as an error at night, and a number for the alert", async () => {
  await using house = await startTestHouse();
  const lines: string[] = [];
  const log = createLog({ level: "error" }, { write: (line: string) => void lines.push(line) });
  await using worker = await startWorker({ ...house.options, log });
  const metric = 'sewa_books_findings{check="M39",kind="books"}';
  const about = { kind: "wallet_adjusted", source: { type: "adjustment", id: house.core.ids.next() } } as const;
  const move = { debit: "goodwill", credit: "wallet", amountMinor: 5n, currency: "IDR" } as const;
  await house.core.transaction(async (tx) => post(tx, { ...about, ...move, key: "gift" }));
  const night = async () => isOver(house, (await runJob(house.core, "ledger:check", {})).key);
  await night();
  expect(await metricOf(worker, metric)).toBe(0);
  expect(lines).toEqual([]);

  await using owner = connectAsSuperuser(house.options.databaseUrl);
  await owner.drizzle.execute("update ledger_transactions set posted_at = posted_at - interval '1 day'");
  await night();
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { msg: "ledger is wrong", message: "It or its entries are not what was posted.", task: "ledger:check" },
    { msg: "organization parked", reason: "M39", organizationId: house.core.organizationId },
  ]);
  await using other = await startWorker(house.options);
  await until("another worker tells it", async () => (await metricOf(other, metric)) === 1);
});
