import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres, { type Sql } from "postgres";
import { startEmbeddedPostgres } from "../embedded/index.ts";
import { migrate } from "./migrate.ts";

const own = fileURLToPath(new URL("../../migrations", import.meta.url));

/**
 * A server of its own whose database stands where it stood before the first migration whose name ends so, with these rows; then all
 * the others are run. For its owner, who sees everything.
 */
export async function migrateFrom(stack: AsyncDisposableStack, ending: string, rows: string): Promise<Sql> {
  const server = await startEmbeddedPostgres();
  stack.defer(() => server.stop());
  const old = await mkdtemp(join(tmpdir(), "sewa-migrations-"));
  stack.defer(() => rm(old, { recursive: true }));
  const files = (await readdir(own)).filter((name) => name.endsWith(".sql")).toSorted();
  const first = files.findIndex((name) => name.endsWith(ending));
  if (first === -1) throw new Error(`No migration ends with ${ending}.`);
  for (const name of files.slice(0, first)) await copyFile(join(own, name), join(old, name));
  await migrate({ url: server.url, folder: old });
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
  stack.defer(() => sql.end({ timeout: 5 }));
  await sql.unsafe(rows);
  await migrate({ url: server.url });
  return sql;
}
