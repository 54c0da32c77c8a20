import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { StoredState } from "./payments/store.ts";
import type { Delivery } from "./webhooks/deliveries.ts";

const saveDelayMs = 250;
const fileVersion = 1;

export interface SavedState extends StoredState {
  readonly secretKeys: readonly string[];
  readonly webhookSecrets: readonly string[];
  readonly undelivered: readonly Delivery[];
}

/** Null when there is no file yet. A file that cannot be read is an error: silently starting empty would lose money. */
export function readState(file: string): SavedState | null {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const saved = JSON.parse(content, (key, value: unknown) =>
    key === "amount" && typeof value === "string" ? BigInt(value) : value,
  ) as { readonly version?: unknown; readonly state: SavedState };
  if (saved.version !== fileVersion) throw new Error(`${file} is no state of a devgateway`);
  return saved.state;
}

export interface StateSaver {
  /** Says that something has changed. */
  changed(): void;
  /** Writes what is not yet written. */
  close(): Promise<void>;
}

/** Writes the whole state a moment after each change, into a new file that then takes the place of the old one. */
export function saveState(file: string, state: () => SavedState, onError: (error: unknown) => void): StateSaver {
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();
  let isClosed = false;
  const write = async (): Promise<void> => {
    const next = `${file}.new`;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(next, render(state()), { mode: 0o600 });
    await rename(next, file);
  };
  const save = (): void => {
    timer = null;
    // One after another: two writers of one file would tear it.
    writing = writing.then(write).catch(onError);
  };
  const changed = (): void => {
    // A request that is still being carried out comes too late.
    if (!isClosed) timer ??= setTimeout(save, saveDelayMs);
  };
  // The first write keeps the keys.
  changed();
  return {
    changed,
    async close(): Promise<void> {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      save();
      await writing;
    },
  };
}

function render(state: SavedState): string {
  return JSON.stringify({ version: fileVersion, state }, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}
