import { organizationOf, type Tx } from "../context.ts";
import type { Sealed } from "../keyring.ts";
import { ensureOwnKey, findOwnKey } from "./data-key.ts";
import { type SealedPlace, sealedThings } from "./sealed-things.ts";

/** Closes a secret of the bound organization with its own key, for one place: copied to another row it does not open. */
export async function sealSecret(tx: Tx, place: SealedPlace, plaintext: string): Promise<Sealed> {
  const { keyring } = await ensureOwnKey(tx);
  return keyring.seal(plaintext, contextOf(tx, place));
}

/** Throws for what was changed, or belongs to another place or organization. */
export async function openSecret(tx: Tx, place: SealedPlace, sealed: Sealed): Promise<string> {
  const own = await findOwnKey(tx);
  if (own !== null && own.id === sealed.keyId) return own.keyring.open(sealed, contextOf(tx, place));
  // From before there were keys of organizations. `sewa keys rotate` closes these anew.
  return tx.ctx.keyring.open(sealed, sealedThings[place.table].formerContext(organizationOf(tx), place.id));
}

function contextOf(tx: Tx, { table, id }: SealedPlace): string {
  return `${table}|${organizationOf(tx)}|${id}`;
}
