import { taxRates } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext } from "../context.ts";
import { assert, DomainError, notFound } from "../errors.ts";
import { authorize } from "../permissions.ts";
import type { TaxRateRow } from "./tax.ts";

/** Invoices that are opened from then on do not have it. Once and for good: what comes after it is a rate of its own. */
export async function endTaxRate(
  ctx: CoreContext,
  input: { readonly taxRateId: string; readonly endsAt?: Date | undefined },
): Promise<TaxRateRow> {
  authorize(ctx.actor, "admin.taxes.write");
  const { taxRateId: id, endsAt: asked } = input;
  return ctx.transaction(async (tx) => {
    const [before] = await tx.sql.select().from(taxRates).where(eq(taxRates.id, id)).for("update");
    if (before === undefined) throw notFound("tax rate");
    if (before.endsAt !== null) throw new DomainError("INVALID_TRANSITION", "The end of this tax was said already.");
    const now = ctx.clock.now();
    // One that has not begun is taken back with an end at its beginning.
    const endsAt = asked ?? (before.startsAt > now ? before.startsAt : now);
    if (endsAt < now || endsAt < before.startsAt) throw new DomainError("INVALID_INPUT", "A tax ends now or later.");
    const [after] = await tx.sql.update(taxRates).set({ endsAt }).where(eq(taxRates.id, id)).returning();
    assert(after !== undefined, "the locked rate is still there");
    writeOperatorAudit(tx, { action: "tax.ended", subject: { type: "tax_rate", id }, before, after });
    return after;
  });
}
