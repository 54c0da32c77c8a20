import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import { rows } from "./rows.ts";

const page = new URL("../../../docs/faults.md", import.meta.url);

interface Seen {
  readonly title: string;
  readonly state: string;
}

/** Writes docs/faults.md from what this run has seen: a row that no test of it named, or that was skipped, is not claimed. */
export default class FaultsPage implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const seen: Record<string, Seen> = {};
    for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
      const { state } = test.result();
      for (const id of rowsIn(test.name)) seen[id] = { title: test.name.replace(/^([A-Z]\d+ )+/, ""), state };
    }
    writeFileSync(page, renderPage(seen));
  }
}

/** "K1 Q1 killed …" names the rows K1 and Q1. */
function rowsIn(name: string): readonly string[] {
  const ids = /^([A-Z]\d+ )+/.exec(name)?.[0].trim().split(" ") ?? [];
  return ids.filter((id) => id in rows);
}

function renderPage(seen: Readonly<Record<string, Seen>>): string {
  const ran = Object.entries(rows).filter(([id]) => seen[id]?.state === "passed" || seen[id]?.state === "failed");
  const others = Object.entries(rows).filter(([id]) => !ran.some(([name]) => name === id));
  return [
    "# Faults",
    "",
    "Printed by `npm run test:faults` from the results of that run. Do not edit.",
    "",
    `## Made real: ${ran.length} of ${Object.keys(rows).length}`,
    "",
    ...ran.map(([id, fault]) => `- **${id}** ${fault}: ${seen[id]?.title} (${seen[id]?.state})`),
    "",
    "## Not made real by this run",
    "",
    "No test of this run injects these faults. Some are tested elsewhere, beside the code that answers them.",
    "",
    ...others.map(([id, fault]) => `- **${id}** ${fault}`),
    "",
  ].join("\n");
}
