import { ledgerCheckpoints } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import type { Keyring } from "../keyring.ts";
import { isSigned, resignRows, signText } from "../signatures.ts";

export type CheckpointRow = typeof ledgerCheckpoints.$inferSelect;

/** What a transaction of Drizzle's can read with. */
export type Reader = Pick<
  Parameters<Parameters<CoreContext["db"]["drizzle"]["transaction"]>[0]>[0],
  "select" | "execute"
>;

/** The end of a chain, or of a part of it. */
export interface Head {
  readonly sequence: number;
  readonly chain: string;
}

/** What transactions that are gone came to. */
export interface Opening {
  readonly opening: Readonly<Record<string, string>>;
  readonly openingAt: Date;
}

export async function findCheckpoint(
  reader: Reader,
  organizationId: string,
  kind: CheckpointRow["kind"],
): Promise<CheckpointRow | null> {
  const [row] = await reader
    .select()
    .from(ledgerCheckpoints)
    .where(and(eq(ledgerCheckpoints.organizationId, organizationId), eq(ledgerCheckpoints.kind, kind)));
  return row ?? null;
}

/** Signs how far the books of the bound organization were found true. Only who has just verified them may say so. */
export async function signLatest(tx: Tx, head: Head): Promise<void> {
  await sign(tx, { kind: "latest", ...head, opening: null, openingAt: null });
}

/** Signs from where they go on, and with what. */
export async function signStart(tx: Tx, start: Head & Opening): Promise<void> {
  await sign(tx, { kind: "start", ...start });
}

async function sign(tx: Tx, said: Omit<Said, "organizationId">): Promise<void> {
  const organizationId = organizationOf(tx);
  const signature = signText(tx.ctx.keyring, textOf({ organizationId, ...said }));
  const values = { ...said, ...signature, signedAt: tx.ctx.clock.now() };
  await tx.sql
    .insert(ledgerCheckpoints)
    .values({ id: tx.ctx.ids.next(), organizationId, ...values })
    .onConflictDoUpdate({ target: [ledgerCheckpoints.organizationId, ledgerCheckpoints.kind], set: values });
}

export function isGenuine(keyring: Keyring, row: CheckpointRow): boolean {
  return isSigned(keyring, textOf(row), row);
}

/** Part of a rotation of keys; answers how many were signed anew. */
export async function resignLedgers(tx: Tx, limit: number): Promise<number> {
  return resignRows(tx, ledgerCheckpoints, { textOf, limit });
}

type Said = Pick<CheckpointRow, "organizationId" | "kind" | "sequence" | "chain" | "opening" | "openingAt">;

function textOf({ organizationId, kind, sequence, chain, opening, openingAt }: Said): string {
  const sums = Object.entries(opening ?? {}).map(([accountId, amountMinor]) => `${accountId}=${amountMinor}`);
  const parts = [organizationId, kind, sequence, chain, openingAt?.toISOString() ?? "", ...sums.toSorted()];
  return ["ledger-checkpoint", ...parts].join("|");
}
