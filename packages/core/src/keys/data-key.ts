import { randomBytes } from "node:crypto";
import { dataKeys } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { createKeyring, keyBytes, type Keyring } from "../keyring.ts";

export type DataKeyRow = Pick<typeof dataKeys.$inferSelect, "id" | "organizationId" | "keyId" | "sealed">;

/** The keyring of one: what closes the secrets of the organization that the transaction is bound to. */
export interface OwnKey {
  readonly id: string;
  readonly keyring: Keyring;
}

/** Made with the organization's first secret. Two that make it at once end up with the same one. */
export async function ensureOwnKey(tx: Tx): Promise<OwnKey> {
  const known = await findOwnKey(tx);
  if (known !== null) return known;
  const owner = { id: tx.ctx.ids.next(), organizationId: organizationOf(tx) };
  const closed = tx.ctx.keyring.seal(randomBytes(keyBytes).toString("base64"), contextOf(owner));
  await tx.sql
    .insert(dataKeys)
    .values({ ...owner, ...closed })
    .onConflictDoNothing();
  const made = await findOwnKey(tx);
  assert(made !== null, "a key that was made is there");
  return made;
}

export async function findOwnKey(tx: Tx): Promise<OwnKey | null> {
  const { id, organizationId, keyId, sealed } = dataKeys;
  const [row] = await tx.sql
    .select({ id, organizationId, keyId, sealed })
    .from(dataKeys)
    .where(eq(organizationId, organizationOf(tx)));
  if (row === undefined) return null;
  const key = Buffer.from(tx.ctx.keyring.open(row, contextOf(row)), "base64");
  return { id: row.id, keyring: createKeyring([{ id: row.id, key }]) };
}

/** The same key, closed by the newest key of the keyring. */
export function rewrap(keyring: Keyring, row: DataKeyRow): Pick<DataKeyRow, "keyId" | "sealed"> {
  return keyring.seal(keyring.open(row, contextOf(row)), contextOf(row));
}

function contextOf({ id, organizationId }: Pick<DataKeyRow, "id" | "organizationId">): string {
  return `data_keys|${organizationId}|${id}`;
}
