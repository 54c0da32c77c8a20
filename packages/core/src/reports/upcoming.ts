import { subscriptions } from "@sewa/db/schema";
import { and, asc, gt, sql } from "drizzle-orm";
import { addMs, dayMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { readTaxRates } from "../taxes/index.ts";
import { foretell, type UpcomingInvoice } from "./foretell.ts";
import { isOfTheHouse, readHouse } from "./read-house.ts";
import { isDueBy, readHouseholds } from "./read-households.ts";

export interface UpcomingInput extends PageInput {
  /** Tomorrow at this time, unless told; a month at most. */
  readonly until?: Date | undefined;
}

const maxAheadDays = 31;

/**
 * What the sweeps would bill and collect until then, if nobody paid by hand, cancelled or ordered in between: a dry run of the same
 * decisions. In the order of the subscriptions' ids; a page may hold fewer than asked for, and more come as long as there is a cursor.
 */
export async function listUpcomingInvoices(ctx: CoreContext, input: UpcomingInput): Promise<Page<UpcomingInvoice>> {
  const now = ctx.clock.now();
  const until = input.until ?? addMs(now, dayMs);
  if (until < now || until > addMs(now, maxAheadDays * dayMs)) {
    const message = `Say a time from now to ${maxAheadDays} days ahead.`;
    throw new DomainError("INVALID_INPUT", message, { issues: [{ path: "until", message }] });
  }
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  return readHouse(ctx, async (reader) => {
    const due = await reader
      .select()
      .from(subscriptions)
      .where(
        and(
          isDueBy(until),
          cursor === null ? undefined : gt(subscriptions.id, cursor),
          isOfTheHouse(sql`${subscriptions.organizationId}`),
        ),
      )
      .orderBy(asc(subscriptions.id))
      .limit(limit + 1);
    const page = toPage(due, limit, ({ id }) => [id]);
    const rules = { ...ctx.config, rates: await readTaxRates({ sql: reader }, now) };
    const foretold = (await readHouseholds(reader, page.items, until)).flatMap((household) => {
      // Who does not know which providers are connected believes the card.
      const hasCard = household.hasCard && ctx.paymentProviders?.length !== 0;
      return foretell({ ...household, hasCard }, rules, { now, until });
    });
    const items = page.items.flatMap(({ id }) => foretold.filter(({ subscriptionId }) => subscriptionId === id));
    return { items, nextCursor: page.nextCursor };
  });
}
