import { paymentIntents } from "@sewa/db/schema";
import { and, eq, gt, inArray, isNotNull, isNull, or } from "drizzle-orm";
import { isParked } from "../accounts/index.ts";
import { addMs, minuteMs } from "../clock.ts";
import { organizationOf, type Tx } from "../context.ts";

/** A saved card answers by then, if anybody does. */
const answerMs = minuteMs;

/**
 * Whether a saved card of the organization was charged just now, so that its time should wait for the answer. None is given
 * while it is parked.
 */
export async function isSettling(tx: Tx): Promise<boolean> {
  if (await isParked(tx)) return false;
  const count = await tx.sql.$count(
    paymentIntents,
    and(
      eq(paymentIntents.organizationId, organizationOf(tx)),
      inArray(paymentIntents.status, ["created", "pending"]),
      isNotNull(paymentIntents.methodId),
      or(isNull(paymentIntents.askedAt), gt(paymentIntents.askedAt, addMs(tx.ctx.clock.now(), -answerMs))),
    ),
  );
  return count > 0;
}
