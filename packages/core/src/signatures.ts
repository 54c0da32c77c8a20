import type { auditCheckpoints, ledgerCheckpoints } from "@sewa/db/schema";
import { asc, eq, ne } from "drizzle-orm";
import type { Tx } from "./context.ts";
import { assert } from "./errors.ts";
import type { Keyring } from "./keyring.ts";

export interface Signature {
  readonly keyId: string;
  readonly signature: string;
}

/** By the newest key. */
export function signText(keyring: Keyring, text: string): Signature {
  const [keyId] = keyring.ids;
  assert(keyId !== undefined, "a keyring holds at least one key");
  return { keyId, signature: keyring.sign(text) };
}

/** Whether the key that it names signed the text so. */
export function isSigned(keyring: Keyring, text: string, { keyId, signature }: Signature): boolean {
  return keyring.findSigner(text, signature) === keyId;
}

type SignedTable = typeof auditCheckpoints | typeof ledgerCheckpoints;

/**
 * Signs up to `limit` rows anew with the newest key, so that the one before can go. Throws for one that was not signed
 * by the key that it names: a new signature would make a forgery genuine.
 */
export async function resignRows<T extends SignedTable>(
  tx: Tx,
  table: T,
  { textOf, limit }: { readonly textOf: (row: T["$inferSelect"]) => string; readonly limit: number },
): Promise<number> {
  const { keyring } = tx.ctx;
  const signed: SignedTable = table;
  const rows = await tx.sql
    .select()
    .from(signed)
    .where(ne(signed.keyId, keyring.ids[0] ?? ""))
    .orderBy(asc(signed.id))
    .limit(limit)
    .for("update", { skipLocked: true });
  for (const row of rows) {
    const text = textOf(row);
    assert(isSigned(keyring, text, row), `the checkpoint ${row.id} is signed by the key that it names`);
    await tx.sql.update(signed).set(signText(keyring, text)).where(eq(signed.id, row.id));
  }
  return rows.length;
}
