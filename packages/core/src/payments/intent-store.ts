import { paymentIntents } from "@sewa/db/schema";
import { and, eq, sql } from "drizzle-orm";
import { formatActor } from "../actor.ts";
import { addMs, hourMs, minuteMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { record } from "../events/index.ts";
import { enqueue } from "../jobs/index.ts";
import type { IntentRow } from "./intent.ts";

/** How long a customer may take on the provider's page. */
export const checkoutMs = 24 * hourMs;
/** How long a saved card may keep us waiting for an answer before it is not to be charged any more. */
const onFileMs = hourMs;
/** The job that is added with it should have run by then. */
const firstLookMs = minuteMs;

export interface NewIntent extends Pick<
  IntentRow,
  "purpose" | "invoiceId" | "methodId" | "origin" | "amountMinor" | "currency"
> {
  readonly savesMethod?: boolean;
  /** Shorter than usual, where what it pays for ends before. */
  readonly atMostMs?: number;
}

/** Written before anybody is asked for the money; the job asks. */
export async function createIntent(tx: Tx, { atMostMs, savesMethod = false, ...input }: NewIntent): Promise<IntentRow> {
  const now = tx.ctx.clock.now();
  const usualMs = input.methodId === null ? checkoutMs : onFileMs;
  const intent = await insertIntent(tx, {
    ...input,
    provider: "sandbox",
    savesMethod,
    status: "created",
    expiresAt: addMs(now, Math.min(usualMs, atMostMs ?? usualMs)),
    nextLookAt: addMs(now, firstLookMs),
  });
  record(tx, { type: "payment.started", subject: { type: "intent", id: intent.id }, data: factsOf(intent) });
  await enqueue(tx, "payment:reconcile", { intentId: intent.id });
  return intent;
}

/** What was paid out of the wallet: begun and done in one transaction. */
export async function insertWalletIntent(
  tx: Tx,
  input: Pick<IntentRow, "invoiceId" | "origin" | "amountMinor" | "currency">,
): Promise<IntentRow> {
  return insertIntent(tx, {
    ...input,
    purpose: "invoice",
    provider: "wallet",
    methodId: null,
    savesMethod: false,
    status: "succeeded",
    receivedMinor: input.amountMinor,
    expiresAt: tx.ctx.clock.now(),
    nextLookAt: null,
    endedAt: tx.now,
  });
}

async function insertIntent(
  tx: Tx,
  values: Omit<typeof paymentIntents.$inferInsert, "id" | "organizationId" | "startedBy" | "startedAt">,
): Promise<IntentRow> {
  const [row] = await tx.sql
    .insert(paymentIntents)
    .values({
      ...values,
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      startedBy: formatActor(tx.ctx.actor),
      startedAt: tx.now,
    })
    .returning();
  assert(row !== undefined, "an inserted intent is returned");
  return row;
}

/** NOT_FOUND for foreign and invented ids. */
export async function getIntent(tx: Tx, intentId: string): Promise<IntentRow> {
  const [row] = await tx.sql.select().from(paymentIntents).where(ownIntent(tx, intentId));
  if (row === undefined) throw notFound("payment");
  return row;
}

/** Taken after the lock on the subscription, where it pays for one. */
export async function lockIntent(tx: Tx, intentId: string): Promise<IntentRow> {
  const [row] = await tx.sql.select().from(paymentIntents).where(ownIntent(tx, intentId)).for("update");
  if (row === undefined) throw notFound("payment");
  return row;
}

export async function updateIntent(
  tx: Tx,
  intentId: string,
  values: Partial<typeof paymentIntents.$inferInsert>,
): Promise<IntentRow> {
  const [row] = await tx.sql.update(paymentIntents).set(values).where(ownIntent(tx, intentId)).returning();
  assert(row !== undefined, "the locked intent is still there");
  return row;
}

/** For jobs, which know an id and nothing else. Null when there is none. */
export async function findOrganizationOf(ctx: CoreContext, table: Owned, id: string): Promise<string | null> {
  const [row] = await ctx.db.drizzle.execute<{ organizationId: string }>(
    sql`select organization_id as "organizationId" from ${sql.identifier(table)} where id = ${id}`,
  );
  return row?.organizationId ?? null;
}

type Owned = "payment_intents" | "refunds" | "invoices";

/** What events say of it. */
export function factsOf(intent: IntentRow): Readonly<Record<string, unknown>> {
  return {
    intentId: intent.id,
    purpose: intent.purpose,
    invoiceId: intent.invoiceId,
    provider: intent.provider,
    origin: intent.origin,
    amountMinor: intent.amountMinor.toString(),
    currency: intent.currency,
  };
}

function ownIntent(tx: Tx, intentId: string) {
  return and(eq(paymentIntents.organizationId, organizationOf(tx)), eq(paymentIntents.id, intentId));
}
