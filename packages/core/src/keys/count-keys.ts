import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { ConfigurationError } from "../environment.ts";
import { authorize } from "../permissions.ts";

/** How much still needs one key of the keyring. */
export interface KeyUse {
  readonly keyId: string;
  /** Keys of organizations that it closes. */
  readonly dataKeys: number;
  /** Secrets that it closes itself, from before organizations had keys. */
  readonly secrets: number;
  /** Checkpoints of the audit that it signed. */
  readonly signatures: number;
}

/** Of each key that is in use, in the order of their ids. */
export async function countKeys(ctx: CoreContext): Promise<readonly KeyUse[]> {
  authorize(ctx.actor, "admin.keys.read");
  return readKeys(ctx);
}

/**
 * Before anything is done with a keyring: throws a `ConfigurationError` that names the keys that are missing. A process
 * without them would run, and fail at each secret that it is asked for.
 */
export async function requireKeys(ctx: CoreContext): Promise<void> {
  const missing = (await readKeys(ctx)).filter(({ keyId }) => !ctx.keyring.ids.includes(keyId));
  if (missing.length === 0) return;
  throw new ConfigurationError(
    missing.map((use) => `SECRETS_KEYRING: lacks the key ${use.keyId}, which ${usesOf(use)} row(s) still need.`),
  );
}

export function usesOf({ dataKeys, secrets, signatures }: KeyUse): number {
  return dataKeys + secrets + signatures;
}

export async function readKeys(ctx: CoreContext): Promise<readonly KeyUse[]> {
  return ctx.db.drizzle.execute<KeyUse & Record<string, unknown>>(sql`
    select key_id as "keyId", data_keys::int as "dataKeys", secrets::int as secrets, signatures::int as signatures
    from keys_in_use() order by key_id`);
}
