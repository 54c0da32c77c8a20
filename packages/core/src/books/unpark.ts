import { lockOrganization, type Parking, unparkOrganization } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { authorize } from "../permissions.ts";
import { resumePayments } from "../payments/index.ts";
import { resumeSubscriptions } from "../subscriptions/index.ts";
import { lookAtBooks } from "./look-at-books.ts";
import { lookAtLedger } from "./look-at-ledger.ts";
import { getParking, listWrongChecks } from "./queries.ts";

const againSeconds = 5;

/**
 * Lets money move again: what became due meanwhile is caught up, each period once. Looks first, and is refused with
 * INVALID_TRANSITION while the books are wrong. One that is not parked stays as it is.
 */
export async function unpark(
  ctx: CoreContext,
  { organizationId, reason }: { readonly organizationId: string; readonly reason: string },
): Promise<Parking> {
  authorize(ctx.actor, "admin.books.unpark");
  const before = await getParking(ctx, organizationId);
  if (before.parkedAt === null) return before;
  const bound = ctx.forOrganization(organizationId);
  const looks = [
    await lookAtBooks(bound, { mode: "organization", organizationId }),
    await lookAtLedger(bound, organizationId),
  ];
  if (looks.includes(null)) {
    throw new DomainError("CONFLICT", "The books are being checked. Try again.", { retryAfterSeconds: againSeconds });
  }
  await bound.transaction(async (tx) => {
    await lockOrganization(tx);
    const wrong = await listWrongChecks(tx);
    if (wrong.length > 0)
      throw new DomainError("INVALID_TRANSITION", `The books are still wrong: ${wrong.join(", ")}.`);
    const { parkedAt } = await unparkOrganization(tx, reason);
    if (parkedAt === null) return;
    await resumeSubscriptions(tx);
    await resumePayments(tx);
  });
  return getParking(ctx, organizationId);
}
