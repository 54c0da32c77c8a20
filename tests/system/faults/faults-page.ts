import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import { reasons, rows } from "./rows.ts";

const page = new URL("../../../docs/faults.md", import.meta.url);

interface Seen {
  readonly title: string;
  readonly state: string;
}

/** Writes docs/faults.md from what this run has seen: a row that no test of it named, or that was skipped, is not claimed. */
export default class FaultsPage implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const seen: Record<string, Seen[]> = {};
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const { state } = test.result();
      for (const id of rowsIn(test.name))
        (seen[id] ??= []).push({ title: test.name.replace(/^([A-Z]\d+ )+/, ""), state });
    }
    writeFileSync(page, renderPage(seen));
  }
}

/** "K1 Q1 killed …" names the rows K1 and Q1. */
function rowsIn(name: string): readonly string[] {
  const ids = /^([A-Z]\d+ )+/.exec(name)?.[0].trim().split(" ") ?? [];
  return ids.filter((id) => id in rows);
}

function renderPage(seen: Readonly<Record<string, readonly Seen[]>>): string {
  const resultsOf = (id: string): readonly Seen[] =>
    (seen[id] ?? []).filter(({ state }) => state === "passed" || state === "failed");
  const ran = Object.entries(rows).filter(([id]) => resultsOf(id).length > 0);
  const others = Object.entries(rows).filter(([id]) => !ran.some(([name]) => name === id));
  const [without, open] = [others.filter(([id]) => id in reasons), others.filter(([id]) => !(id in reasons))];
  const lines = [
    "# Faults",
    "",
    "Printed by `npm run test:faults` from the results of that run. Do not edit.",
    "",
    `## Made real: ${ran.length} of ${Object.keys(rows).length}`,
    "",
    ...ran.flatMap(([id, fault]) => [
      `- **${id}** ${fault}`,
      ...resultsOf(id).map(({ title, state }) => `  - ${title} (${state})`),
    ]),
    "",
    `## Without a test, for a reason: ${without.length}`,
    "",
    ...without.map(([id, fault]) => `- **${id}** ${fault}: ${reasons[id]}`),
    "",
    `## Not made real by this run: ${open.length}`,
    "",
    ...open.map(([id, fault]) => `- **${id}** ${fault}`),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}
