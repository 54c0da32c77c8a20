import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { type MonthsInput, periodOfMonths } from "./months.ts";
import { isOfTheHouse, moment, readHouse } from "./read-house.ts";

/** A month of the ledger in one currency; all amounts in minor units. */
export interface RevenueMonth {
  /** `2026-03`, on the calendar of the house. */
  readonly month: string;
  readonly currency: string;
  /** Asked for with invoices, without taxes. */
  readonly chargedMinor: bigint;
  /** Of invoices of this month or an earlier one that were taken back, what was not paid. */
  readonly voidedMinor: bigint;
  /** Taken back with credit notes after it was paid, wherever the money went. */
  readonly refundedMinor: bigint;
  /** `charged - voided - refunded`: what the account moved by. Below zero in a month that gives back more than it asks for. */
  readonly revenueMinor: bigint;
  /** Used and given up on. */
  readonly badDebtMinor: bigint;
  /** What operators gave to wallets, less what they took. It is not taken off the revenue that it pays for. */
  readonly goodwillMinor: bigint;
  /** Money that came in, with taxes, be it for invoices or into wallets. */
  readonly receivedMinor: bigint;
  /** Of it, what customers paid ahead: no revenue until an invoice asks for it. */
  readonly aheadMinor: bigint;
}

type Sum = "charged" | "voided" | "refunded" | "bad_debt" | "goodwill" | "received" | "ahead";

/** Out of the ledger alone, so that nothing is counted which was not booked. The oldest month first; months in which nothing moved are left out. */
export async function summariseRevenue(ctx: CoreContext, input: MonthsInput): Promise<readonly RevenueMonth[]> {
  const { timeZone } = ctx.config;
  const { start, end } = periodOfMonths(input, ctx.clock.now(), timeZone);
  const rows = await readHouse(ctx, (reader) =>
    reader.execute<Readonly<Record<"month" | "currency" | Sum, string>>>(sql`
      select to_char(t.posted_at at time zone ${timeZone}, 'YYYY-MM') as month, e.currency,
        coalesce(sum(-e.amount_minor) filter (where a.kind = 'revenue' and e.amount_minor < 0), 0) as charged,
        coalesce(sum(e.amount_minor) filter (where a.kind = 'revenue' and e.amount_minor > 0 and t.kind = 'invoice_voided'), 0) as voided,
        coalesce(sum(e.amount_minor) filter (where a.kind = 'revenue' and e.amount_minor > 0 and t.kind <> 'invoice_voided'), 0) as refunded,
        coalesce(sum(e.amount_minor) filter (where a.kind = 'bad_debt'), 0) as bad_debt,
        coalesce(sum(e.amount_minor) filter (where a.kind = 'goodwill'), 0) as goodwill,
        coalesce(sum(e.amount_minor) filter (where a.kind = 'cash' and e.amount_minor > 0), 0) as received,
        coalesce(sum(e.amount_minor) filter (where a.kind = 'cash' and t.kind in ('wallet_topped_up', 'wallet_credited')), 0) as ahead
      from ledger_transactions t join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
      where t.posted_at >= ${moment(start)} and t.posted_at < ${moment(end)} and ${isOfTheHouse(sql`t.organization_id`)}
      group by 1, 2 order by 1, 2`),
  );
  return rows.map((row) => {
    const [chargedMinor, voidedMinor, refundedMinor] = [BigInt(row.charged), BigInt(row.voided), BigInt(row.refunded)];
    return {
      month: row.month,
      currency: row.currency,
      chargedMinor,
      voidedMinor,
      refundedMinor,
      revenueMinor: chargedMinor - voidedMinor - refundedMinor,
      badDebtMinor: BigInt(row.bad_debt),
      goodwillMinor: BigInt(row.goodwill),
      receivedMinor: BigInt(row.received),
      aheadMinor: BigInt(row.ahead),
    };
  });
}
