import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";

const tokens = z.record(z.string(), z.string());

/** Sessions of this user, by the api that gave them: a token is never shown to another one. */
export interface TokenStore {
  find(apiUrl: string): Promise<string | null>;
  keep(apiUrl: string, token: string): Promise<void>;
  forget(apiUrl: string): Promise<void>;
}

/** In `.config/sewa/token` under the user's home, readable by the user alone. */
export function createTokenStore(home: string = homedir()): TokenStore {
  const file = join(home, ".config", "sewa", "token");
  const change = async (edit: (known: Map<string, string>) => void): Promise<void> => {
    const known = new Map(Object.entries(await read(file)));
    edit(known);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`, { mode: 0o600 });
    // The mode above counts for new files only.
    await chmod(file, 0o600);
  };
  return {
    find: async (apiUrl) => (await read(file))[apiUrl] ?? null,
    keep: (apiUrl, token) => change((known) => known.set(apiUrl, token)),
    forget: (apiUrl) => change((known) => known.delete(apiUrl)),
  };
}

/** A file that is missing or was damaged holds no sessions; the next log-in writes it anew. */
async function read(file: string): Promise<Readonly<Record<string, string>>> {
  try {
    return tokens.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return {};
  }
}
