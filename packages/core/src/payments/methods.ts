import { autoTopUps, paymentMethods } from "@sewa/db/schema";
import { and, desc, eq, isNull, lt } from "drizzle-orm";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, notFound } from "../errors.ts";
import { record } from "../events/index.ts";
import { sha256Hex } from "../ids.ts";
import { openSecret, sealSecret } from "../keys/index.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";
import type { SavedMethod } from "./provider.ts";

export type PaymentMethodRow = typeof paymentMethods.$inferSelect;

const maxLabelCharacters = 60;

/** Cards that can be charged, newest first. */
export async function listPaymentMethods(ctx: CoreContext, input: PageInput): Promise<Page<PaymentMethodRow>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return ctx.transaction(async (tx) => {
    const rows = await tx.sql
      .select()
      .from(paymentMethods)
      .where(
        and(
          eq(paymentMethods.organizationId, organizationOf(tx)),
          isNull(paymentMethods.removedAt),
          cursor === null ? undefined : lt(paymentMethods.id, cursor),
        ),
      )
      .orderBy(desc(paymentMethods.id))
      .limit(limit + 1);
    return toPage(rows, limit, ({ id }) => [id]);
  });
}

/** Its token is gone afterwards, and nothing is charged to it by itself any more. Twice is the same as once. */
export async function removePaymentMethod(ctx: CoreContext, methodId: string): Promise<PaymentMethodRow> {
  authorize(ctx.actor, "payment.write");
  return ctx.transaction(async (tx) => {
    const method = await lockMethod(tx, methodId);
    return method.removedAt === null ? removeMethod(tx, methodId) : method;
  });
}

/** Every card that the transaction's organization has. Answers how many there were. */
export async function removeAllMethods(tx: Tx): Promise<number> {
  const own = and(eq(paymentMethods.organizationId, organizationOf(tx)), isNull(paymentMethods.removedAt));
  const rows = await tx.sql.select({ id: paymentMethods.id }).from(paymentMethods).where(own).for("update");
  for (const { id } of rows) await removeMethod(tx, id);
  return rows.length;
}

async function removeMethod(tx: Tx, methodId: string): Promise<PaymentMethodRow> {
  const own = eq(autoTopUps.organizationId, organizationOf(tx));
  await tx.sql
    .update(autoTopUps)
    .set({ isEnabled: false })
    .where(and(own, eq(autoTopUps.methodId, methodId)));
  const values = { removedAt: tx.now, isAutomatic: false, keyId: null, sealed: null };
  const removed = await updateMethod(tx, methodId, values);
  recordMethod(tx, "paymentMethod.removed", removed);
  return removed;
}

/** Renewals are charged to this card from now on without asking, or (`isAutomatic: false`) not any more. */
export async function setAutomaticPayment(
  ctx: CoreContext,
  input: { readonly methodId: string; readonly isAutomatic: boolean },
): Promise<PaymentMethodRow> {
  authorize(ctx.actor, "payment.write");
  return ctx.transaction(async (tx) => {
    const method = await lockMethod(tx, input.methodId);
    if (method.removedAt !== null) throw notFound("payment method");
    if (method.isAutomatic === input.isAutomatic) return method;
    const own = eq(paymentMethods.organizationId, organizationOf(tx));
    await tx.sql
      .update(paymentMethods)
      .set({ isAutomatic: false })
      .where(and(own, eq(paymentMethods.isAutomatic, true)));
    const changed = await updateMethod(tx, method.id, { isAutomatic: input.isAutomatic });
    recordMethod(tx, "paymentMethod.automaticSet", changed);
    return changed;
  });
}

/** The card that renewals are charged to; null when the customer pays by hand. */
export async function findAutomaticMethod(tx: Tx): Promise<PaymentMethodRow | null> {
  const [row] = await tx.sql
    .select()
    .from(paymentMethods)
    .where(and(eq(paymentMethods.organizationId, organizationOf(tx)), eq(paymentMethods.isAutomatic, true)));
  return row ?? null;
}

/** One that can be charged; NOT_FOUND for a removed, a foreign and an invented one. */
export async function getUsableMethod(tx: Tx, methodId: string): Promise<PaymentMethodRow> {
  const method = await findMethod(tx, methodId);
  if (method === null || method.removedAt !== null) throw notFound("payment method");
  return method;
}

/** The provider's token of a card; null once it was removed. */
export async function openMethod(tx: Tx, methodId: string): Promise<string | null> {
  const method = await findMethod(tx, methodId);
  assert(method !== null, "an intent's card is there");
  const { keyId, sealed } = method;
  if (keyId === null || sealed === null) return null;
  return openSecret(tx, { table: "payment_methods", id: methodId }, { keyId, sealed });
}

/** Keeps a card that the provider keeps; the same one is kept once. */
export async function saveMethod(tx: Tx, { methodReference, label }: SavedMethod): Promise<void> {
  const organizationId = organizationOf(tx);
  const id = tx.ctx.ids.next();
  const [saved] = await tx.sql
    .insert(paymentMethods)
    .values({
      id,
      organizationId,
      provider: "sandbox",
      label: label.replaceAll(/\p{Cc}/gu, " ").slice(0, maxLabelCharacters),
      fingerprint: sha256Hex(`sandbox:${methodReference}`),
      ...(await sealSecret(tx, { table: "payment_methods", id }, methodReference)),
      savedAt: tx.now,
    })
    .onConflictDoNothing()
    .returning();
  if (saved !== undefined) recordMethod(tx, "paymentMethod.saved", saved);
}

async function findMethod(tx: Tx, methodId: string): Promise<PaymentMethodRow | null> {
  const [row] = await tx.sql.select().from(paymentMethods).where(ownMethod(tx, methodId));
  return row ?? null;
}

async function lockMethod(tx: Tx, methodId: string): Promise<PaymentMethodRow> {
  const [row] = await tx.sql.select().from(paymentMethods).where(ownMethod(tx, methodId)).for("update");
  if (row === undefined) throw notFound("payment method");
  return row;
}

async function updateMethod(
  tx: Tx,
  methodId: string,
  values: Partial<typeof paymentMethods.$inferInsert>,
): Promise<PaymentMethodRow> {
  const [row] = await tx.sql.update(paymentMethods).set(values).where(ownMethod(tx, methodId)).returning();
  assert(row !== undefined, "the locked card is still there");
  return row;
}

function recordMethod(
  tx: Tx,
  type: "paymentMethod.saved" | "paymentMethod.removed" | "paymentMethod.automaticSet",
  { id, label, isAutomatic }: PaymentMethodRow,
): void {
  record(tx, { type, subject: { type: "method", id }, data: { methodId: id, label, isAutomatic } });
}

function ownMethod(tx: Tx, methodId: string) {
  return and(eq(paymentMethods.organizationId, organizationOf(tx)), eq(paymentMethods.id, methodId));
}
