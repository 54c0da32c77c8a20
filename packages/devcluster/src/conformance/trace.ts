import { readdirSync, readFileSync } from "node:fs";

/** One recorded exchange with a real server. */
export interface TraceLine {
  readonly n: number;
  readonly note: string;
  readonly waitedMs?: number;
  readonly polls?: number;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly as?: string;
    readonly body?: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
    readonly body?: unknown;
    readonly events?: readonly { readonly ms: number; readonly type: string; readonly object: unknown }[];
  };
}

export interface Trace {
  /** The number that file names begin with. */
  readonly id: string;
  readonly name: string;
  readonly lines: readonly TraceLine[];
}

const folder = new URL("../../recorded/traces/", import.meta.url);

export function readTraces(): Trace[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".jsonl"))
    .toSorted()
    .map((file) => ({
      id: file.slice(0, 2),
      name: file.replace(".jsonl", ""),
      lines: readFileSync(new URL(file, folder), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as TraceLine),
    }));
}
