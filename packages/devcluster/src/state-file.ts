import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isRecord, listOf, recordOf, stringOf } from "./kube/json.ts";
import type { KubeObject } from "./kube/object.ts";
import type { Registry } from "./resources/registry.ts";
import type { Store } from "./store/store.ts";

const saveDelayMs = 250;
const fileVersion = 1;

export interface SavedState {
  readonly token: string | null;
  readonly objects: readonly KubeObject[];
}

/** Null when there is no file yet. A file that cannot be read is an error: silently starting empty would lose it. */
export function readState(file: string): SavedState | null {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const state: unknown = JSON.parse(content);
  if (!isRecord(state) || state["version"] !== fileVersion) throw new Error(`${file} is no state of a devcluster`);
  const objects = listOf(state["objects"]).filter((object) => isRecord(recordOf(object)["metadata"]));
  const token = stringOf(state["token"]);
  return { token: token === "" ? null : token, objects: objects as readonly KubeObject[] };
}

export interface StateSaver {
  /** Writes what is not yet written and stops watching. */
  close(): Promise<void>;
}

/** Writes the whole state a moment after each change, into a new file that then takes the place of the old one. */
export function saveState(
  file: string,
  store: Store,
  registry: Registry,
  token: string,
  onError: (error: unknown) => void,
): StateSaver {
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    const objects = registry.all.flatMap((resource) => store.list(resource.key));
    const next = `${file}.new`;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(next, JSON.stringify({ version: fileVersion, token, objects }), { mode: 0o600 });
    await rename(next, file);
  };
  const save = (): void => {
    timer = null;
    // One after another: two writers of one file would tear it.
    writing = writing.then(write).catch(onError);
  };
  const plan = (): void => {
    timer ??= setTimeout(save, saveDelayMs);
  };
  // The first write keeps what the cluster was furnished with, and its token.
  plan();
  const unsubscribe = store.subscribe(plan);
  return {
    async close(): Promise<void> {
      unsubscribe();
      if (timer !== null) {
        clearTimeout(timer);
        save();
      }
      await writing;
    },
  };
}
