import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    sewaProgramsFolder: string;
  }
}

/** Where bundled programs are put; whoever runs the tests removes it, because its processes may end without a word. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "sewa-programs-"));
  project.provide("sewaProgramsFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
