import { auditCheckpoints } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import type { Tx } from "../context.ts";
import type { Keyring } from "../keyring.ts";
import { isSigned, resignRows, signText } from "../signatures.ts";
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
    ...signText(tx.ctx.keyring, saidBy({ organizationId: owner, kind, ...head })),
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
  return isSigned(keyring, saidBy(row), row);
}

/** Part of a rotation of keys; answers how many were signed anew. */
export async function resignCheckpoints(tx: Tx, limit: number): Promise<number> {
  return resignRows(tx, auditCheckpoints, { textOf: saidBy, limit });
}

type Signed = Pick<CheckpointRow, "organizationId" | "kind" | "sequence" | "chain">;

function saidBy({ organizationId, kind, sequence, chain }: Signed): string {
  return ["audit-checkpoint", organizationId ?? "house", kind, sequence, chain].join("|");
}
