import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startTestApi } from "./test-api.ts";
import { sewa, storyMs } from "./test-command.ts";

// It runs two dozen commands, each a process.
vi.setConfig({ testTimeout: 2 * storyMs });

test("an operator sets a tax, a customer downloads the invoice, and the reports are written as CSV", async () => {
  await using api = await startTestApi();
  const folder = await mkdtemp(join(tmpdir(), "sewa-cli-test-"));
  await using files = new AsyncDisposableStack();
  files.defer(() => rm(folder, { recursive: true, force: true }));
  const prices = { ROOM_PRICE_PER_CPU: "100000", ROOM_PRICE_PER_GIB: "20000" };
  const env = { ...api.env, ...prices };
  const run = (...args: string[]): Promise<unknown> => api.run(args, prices);
  const { email, password } = await api.open();
  const tax = (await run("taxes", "create", "PPN", "11", "--country", "ID")) as { id: string };
  expect(await sewa(["login", email], env, `${password}\n`)).toMatchObject({ code: 0 });
  expect(await run("billing", "--tax-id", "01.234", "--country", "ID")).toMatchObject({
    taxId: "01.234",
    country: "ID",
  });
  const quote = await sewa(["orders", "quote", "uptime-kuma/small"], env);
  expect(quote.stdout).toMatch(/PPN 11% +5500 IDR\ntotal +55500 IDR/);
  await run("orders", "place", "uptime-kuma/small", "--name", "Status page");

  const [invoice] = (await run("invoices", "list")) as { id: string; number: string }[];
  const pdf = join(folder, "invoice.pdf");
  const downloaded = await sewa(["invoices", "download", invoice!.id, "--out", pdf], env);
  expect(downloaded).toMatchObject({
    code: 0,
    stdout: "",
    stderr: expect.stringContaining(`${invoice!.number}.pdf`) as string,
  });
  expect((await readFile(pdf)).subarray(0, 5).toString()).toBe("%PDF-");
  const page = join(folder, "invoice.html");
  await run("invoices", "download", invoice!.id, "--format", "html", "--out", page);
  expect(await readFile(page, "utf8")).toContain("IDR 55.500");
  const nowhere = await sewa(["invoices", "download", invoice!.id, "--out", join(folder, "none", "x.pdf")], env);
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be written/) as string });

  const csv = join(folder, "report.csv");
  const report = async (...args: string[]): Promise<readonly string[]> => {
    const outcome = await sewa(["revenue", ...args, "--csv", csv], env);
    expect({ args, ...outcome }).toMatchObject({ code: 0, stdout: "" });
    return (await readFile(csv, "utf8")).split("\r\n");
  };
  const [names, month] = await report("summary");
  expect(names).toBe(
    "month,currency,chargedMinor,voidedMinor,refundedMinor,revenueMinor,badDebtMinor,goodwillMinor,receivedMinor,aheadMinor",
  );
  expect(month).toMatch(/^\d{4}-\d{2},IDR,50000,0,0,50000,0,0,0,0$/);
  const receivables = await report("receivables");
  expect(receivables[1]).toMatch(new RegExp(`^${invoice!.id},org_\\w+,${invoice!.number},IDR,55500,.*,0,0-30$`));
  // A quarter of a CPU and half a GiB, held for an order that brings nothing yet: a number below zero stays a number.
  expect((await report("margin"))[1]).toMatch(/^ins_\w+,sub_\w+,org_\w+,IDR,0,35000,-35000$/);
  expect(await report("upcoming")).toHaveLength(2);
  expect(await report("mrr", "--from", "2026-01-01")).toHaveLength(2);
  expect(await report("churn", "--from", "2026-01", "--to", "2026-02")).toHaveLength(2);
  expect((await sewa(["revenue", "receivables"], env)).stdout).toMatch(/55500 IDR/);
  expect(await sewa(["revenue", "mrr", "--from", "yesterday"], env)).toMatchObject({ code: 2 });

  expect(await run("taxes", "end", tax.id)).toMatchObject({
    name: "PPN",
    until: expect.stringMatching(/^20/) as string,
  });
  expect((await sewa(["taxes", "list"], env)).stdout).toContain("PPN");
});
