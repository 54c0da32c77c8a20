import { paymentNotices } from "@sewa/db/schema";
import { and, eq, isNull, lt, lte } from "drizzle-orm";
import { z } from "zod";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext, Tx } from "../context.ts";
import { enqueue } from "../jobs/index.ts";
import { NoticeRefused, type PaymentProvider, type ProviderNotice } from "./provider.ts";

export const maxNoticeBytes = 64 * 1_024;
const maxWordCharacters = 200;
/** Longer than any provider repeats itself. */
const keptDays = 90;

/**
 * Takes in what a webhook brought: verified on the raw bytes before anything else, stored once however often it is delivered, and
 * answered with a prompt to ask the provider. It has no effect of its own, so the order in which notices come does not matter.
 * Throws `NoticeRefused`, and nothing of it is kept.
 */
export async function receiveNotice(
  ctx: CoreContext,
  provider: PaymentProvider,
  input: { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string | undefined>> },
): Promise<void> {
  const { body, headers } = input;
  if (body.byteLength > maxNoticeBytes) throw new NoticeRefused("Too large.");
  const now = ctx.clock.now();
  const notice = provider.readNotice(body, headers, now);
  if (notice.eventId === "" || notice.eventId.length > maxWordCharacters) throw new NoticeRefused("No event id.");
  const subject = subjectOf(notice);
  await ctx.transaction(async (tx) => {
    const [stored] = await tx.sql
      .insert(paymentNotices)
      .values({
        provider: provider.name,
        eventId: notice.eventId,
        type: notice.type.slice(0, maxWordCharacters),
        subjectType: subject?.type ?? null,
        subjectId: subject?.id ?? null,
        body: Buffer.from(body),
        receivedAt: now,
        // News of something else is kept, and there is nothing to do.
        appliedAt: subject === null ? now : null,
      })
      .onConflictDoNothing()
      .returning({ eventId: paymentNotices.eventId });
    if (stored === undefined || subject === null) return;
    if (subject.type === "payment") await enqueue(tx, "payment:reconcile", { intentId: subject.id });
    else await enqueue(tx, "refund:reconcile", { refundId: subject.id });
  });
}

/** A reference that is no id of ours is about nothing of ours. */
function subjectOf({ subject }: ProviderNotice): { readonly type: "payment" | "refund"; readonly id: string } | null {
  if (subject === null || !z.uuid().safeParse(subject.reference).success) return null;
  return { type: subject.type, id: subject.reference };
}

/** The provider was asked after they had come: whatever they could say is known. */
export async function markNoticesApplied(tx: Tx, subjectId: string, lookedAt: Date): Promise<void> {
  await tx.sql
    .update(paymentNotices)
    .set({ appliedAt: tx.ctx.clock.now() })
    .where(
      and(
        eq(paymentNotices.subjectId, subjectId),
        isNull(paymentNotices.appliedAt),
        lte(paymentNotices.receivedAt, lookedAt),
      ),
    );
}

/** Forgets old notices. Worker's role. Answers how many. */
export async function deleteOldNotices(ctx: CoreContext): Promise<number> {
  const deleted = await ctx.db.drizzle
    .delete(paymentNotices)
    .where(lt(paymentNotices.receivedAt, addMs(ctx.clock.now(), -keptDays * dayMs)))
    .returning({ eventId: paymentNotices.eventId });
  return deleted.length;
}
