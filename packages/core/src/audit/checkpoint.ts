import { auditCheckpoints } from "@sewa/db/schema";
import { and, asc, eq, ne } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { assert } from "../errors.ts";
import type { Keyring } from "../keyring.ts";
import { type ChainOwner, type Head, ownedBy, type Reader } from "./chain.ts";

export type CheckpointRow = typeof auditCheckpoints.$inferSelect;
type Kind = CheckpointRow["kind"];

export async function findCheckpoint(reader: Reader, owner: ChainOwner, kind: Kind): Promise<CheckpointRow | null> {
  const [row] = await reader
    .select()
    .from(auditCheckpoints)
    .where(and(ownedBy(owner), eq(auditCheckpoints.kind, kind)));
  return row ?? null;
}

/** Signs how far the chain was found true. Only who has just verified it may say so. */
export async function signCheckpoint(tx: Tx, owner: ChainOwner, kind: Kind, head: Head): Promise<void> {
  const values = {
    ...head,
    ...sign(tx.ctx.keyring, { organizationId: owner, kind, ...head }),
    signedAt: tx.ctx.clock.now(),
  };
  const changed = await tx.sql
    .update(auditCheckpoints)
    .set(values)
    .where(and(ownedBy(owner), eq(auditCheckpoints.kind, kind)))
    .returning({ id: auditCheckpoints.id });
  if (changed.length > 0) return;
  await tx.sql.insert(auditCheckpoints).values({ id: tx.ctx.ids.next(), organizationId: owner, kind, ...values });
}

export function isGenuine(keyring: Keyring, row: CheckpointRow): boolean {
  return keyring.findSigner(saidBy(row), row.signature) === row.keyId;
}

/**
 * Signs up to `limit` checkpoints anew with the newest key, so that the one before can go. Throws for one that was not signed
 * by the key that it names: a new signature would make a forgery genuine.
 */
export async function resignCheckpoints(tx: Tx, limit: number): Promise<number> {
  const { keyring } = tx.ctx;
  const rows = await tx.sql
    .select()
    .from(auditCheckpoints)
    .where(ne(auditCheckpoints.keyId, keyring.ids[0] ?? ""))
    .orderBy(asc(auditCheckpoints.id))
    .limit(limit)
    .for("update", { skipLocked: true });
  for (const row of rows) {
    assert(isGenuine(keyring, row), `the audit's checkpoint ${row.id} is signed by the key that it names`);
    await tx.sql.update(auditCheckpoints).set(sign(keyring, row)).where(eq(auditCheckpoints.id, row.id));
  }
  return rows.length;
}

type Signed = Pick<CheckpointRow, "organizationId" | "kind" | "sequence" | "chain">;

function sign(keyring: Keyring, row: Signed): Pick<CheckpointRow, "keyId" | "signature"> {
  const [keyId] = keyring.ids;
  assert(keyId !== undefined, "a keyring holds at least one key");
  return { keyId, signature: keyring.sign(saidBy(row)) };
}

function saidBy({ organizationId, kind, sequence, chain }: Signed): string {
  return ["audit-checkpoint", organizationId ?? "house", kind, sequence, chain].join("|");
}
