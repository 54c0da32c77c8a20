import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventTypes, reasonCodes } from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { metricsIn, metricsOf, readAlerts, readDashboards, readPages } from "./files.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

const alerts = await readAlerts();

test("there are alerts, each of a name of its own", () => {
  expect(alerts.length).toBeGreaterThan(20);
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
});

test.each(alerts)(
  "$alert says how bad it is, what it is, and what to do, on a page that names it",
  async ({ alert, expr, labels, annotations, ...rule }) => {
    expect(alert).toMatch(/^Sewa[A-Z][A-Za-z]+$/);
    expect(["critical", "warning", "info"]).toContain(labels["severity"]);
    expect(annotations["summary"]).toMatch(/\S.*[.)]$/);
    // What is a count over a window has waited long enough.
    const waited = expr.includes("increase(") ? "0m" : undefined;
    expect(rule.for ?? waited).toMatch(/^\d+m$/);
    const page = annotations["runbook_url"] ?? "";
    expect(page).toMatch(/^docs\/runbooks\/[a-z-]+\.md$/);
    expect(await readFile(root + page, "utf8")).toContain(`\`${alert}\``);
  },
);

const pages = await readPages();

test("what rules ask for by reason or event is a word of the house", () => {
  const asked = (label: string): readonly string[] =>
    alerts.flatMap(({ expr }) =>
      [...expr.matchAll(new RegExp(`\\b${label}=~?"([^"]*)"`, "g"))].flatMap(([, list = ""]) => list.split("|")),
    );
  expect(asked("reason").length).toBeGreaterThan(4);
  expect(asked("reason").filter((reason) => !reasonCodes.some((code) => code === reason))).toEqual([]);
  expect(asked("type").length).toBeGreaterThan(1);
  expect(asked("type").filter((type) => !(type in eventTypes))).toEqual([]);
});

test("each page of the runbooks is found from the first one, and names only alerts that there are", () => {
  const index = pages.find(({ page }) => page === "README.md")?.text ?? "";
  const known = new Set(alerts.map(({ alert }) => alert));
  expect(pages.filter(({ page }) => page !== "README.md" && !index.includes(`](${page})`))).toEqual([]);
  for (const { page, text } of pages) {
    const named = [...text.matchAll(/`(Sewa[A-Z]\w+)`/g)];
    expect(named.flatMap(([, alert = ""]) => (known.has(alert) ? [] : [`${page}: ${alert}`]))).toEqual([]);
  }
});

test("the commands of the pages exist", { timeout: 60_000 }, async () => {
  const named = pages.flatMap(({ text }) => [...text.matchAll(/(?:npm run sewa --|`sewa) ([a-z-]+)(?: ([a-z-]+))?/g)]);
  expect(named.length).toBeGreaterThan(5);
  const groups = new Map<string, string>();
  for (const group of new Set(named.map(([, first = ""]) => first))) {
    const main = [`${root}apps/cli/main.ts`, group, "--help"];
    groups.set(group, (await promisify(execFile)(process.execPath, main)).stdout);
  }
  const exists = (first = "", second = ""): boolean => {
    const help = groups.get(first) ?? "";
    // Of what it does not know it tells the words that it knows.
    return (
      help.startsWith(`Usage: sewa ${first} `) && (second === "" || new RegExp(`^ {2}${second}\\b`, "m").test(help))
    );
  };
  expect(named.filter(([, first, second]) => !exists(first, second)).map(([words]) => words)).toEqual([]);
});

const statements = pages.flatMap(({ page, text }) =>
  [...text.matchAll(/```sql\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
    block.split(/;\s*\n/).flatMap((part) => (part.startsWith("select") ? [{ page, statement: part }] : [])),
  ),
);

test("the database understands each question of the pages, from a user who became the worker", async () => {
  await using test = await createTestDatabase();
  await using database = connectDatabase({ url: test.url, role: "sewa_worker", max: 1 });
  expect(statements.length).toBeGreaterThan(20);
  const wrong: string[] = [];
  for (const { page, statement } of statements) {
    const asked = statement.replaceAll("'UUID'", "'00000000-0000-7000-8000-000000000000'");
    await database.drizzle
      .execute(asked)
      .catch((error: unknown) => wrong.push(`${page}: ${statement} ${String(error)}`));
  }
  expect(wrong).toEqual([]);
});

test("the boards have ids of their own, and their panels do not lie on each other", async () => {
  const boards = await readDashboards();
  expect(boards.map(({ uid }) => uid).toSorted()).toEqual(["sewa-api", "sewa-cluster", "sewa-house", "sewa-jobs"]);
  const problems = boards.flatMap(({ file, panels }) => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)}/${y + Math.floor(index / w)}`),
    );
    const twice = cells.filter((cell, index) => cells.indexOf(cell) !== index);
    const wrong = panels.filter(({ gridPos, targets }) => gridPos.x + gridPos.w > 24 || targets.length === 0);
    return [...twice, ...wrong.map(({ title }) => title)].map((problem) => `${file}: ${problem}`);
  });
  expect(problems).toEqual([]);
});

test.each([
  ["max by (node) (sewa_node_ready) == 0", ["sewa_node_ready"]],
  ['1 - avg by (instance) (rate(node_cpu{mode="idle"}[5m])) > 0.9', ["node_cpu"]],
  ["sum(increase(a_total[1h])) > 0 or max(b_seconds) > 900", ["a_total", "b_seconds"]],
  ['histogram_quantile(0.99, sum by (le) (rate(c_bucket{type!="x y"}[10m]))) > 2.5', ["c_bucket"]],
  ['up{job=~"sewa-server|sewa-worker"} == 0', ["up"]],
  ["topk(8, d) + vector(0)", ["d"]],
])("of %s the metrics are found", (expression, names) => {
  expect(metricsIn(expression)).toEqual(names);
});

test("of a scrape the names are found, those of histograms as they are asked for", () => {
  const text = "# HELP a_seconds A.\n# TYPE a_seconds histogram\n# TYPE b_total counter\nb_total 1\n";
  expect(metricsOf(text)).toEqual(new Set(["a_seconds_bucket", "a_seconds_count", "a_seconds_sum", "b_total"]));
});
