import { type SQL, sql } from "drizzle-orm";
import { formatInvoiceNumber } from "../billing/index.ts";
import type { CoreContext } from "../context.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { isOfTheHouse, moment, readHouse } from "./read-house.ts";

/** Days since the invoice was opened. */
export const ageBuckets = ["0-30", "31-60", "61-90", "90+"] as const;
export type AgeBucket = (typeof ageBuckets)[number];

export interface ReceivablesBucket {
  readonly currency: string;
  readonly bucket: AgeBucket;
  readonly invoices: number;
  /** What is still to come of them, in minor units. */
  readonly amountMinor: bigint;
}

export interface Receivable {
  readonly invoiceId: string;
  readonly organizationId: string;
  readonly number: string | null;
  readonly currency: string;
  readonly amountMinor: bigint;
  readonly openedAt: Date;
  readonly dueAt: Date | null;
  readonly ageDays: number;
  readonly bucket: AgeBucket;
}

export interface Receivables extends Page<Receivable> {
  /** Over all of them, not only those of the page; buckets with nothing in them are left out. */
  readonly buckets: readonly ReceivablesBucket[];
}

/** Invoices that wait for money, the oldest first. */
export async function listReceivables(ctx: CoreContext, input: PageInput): Promise<Receivables> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const now = moment(ctx.clock.now());
  const open = sql`i.status = 'open' and i.total_minor > i.paid_minor and ${isOfTheHouse(sql`i.organization_id`)}`;
  const days = sql`floor(extract(epoch from ${now} - i.opened_at) / 86400)::int`;
  return readHouse(ctx, async (reader) => {
    const sums = await reader.execute<{ currency: string; bucket: AgeBucket; invoices: string; amount: string }>(sql`
      select i.currency, ${bucketOf(days)} as bucket, count(*) as invoices, sum(i.total_minor - i.paid_minor) as amount
      from invoices i where ${open} group by 1, 2 order by 1, min(${days})`);
    const rows = await reader.execute<{
      id: string;
      organization_id: string;
      series: string | null;
      number: string | null;
      currency: string;
      amount: string;
      opened_at: string;
      due_at: string | null;
      days: number;
      bucket: AgeBucket;
    }>(sql`
      select i.id, i.organization_id, i.series, i.number, i.currency, i.total_minor - i.paid_minor as amount,
        i.opened_at, i.due_at, ${days} as days, ${bucketOf(days)} as bucket
      from invoices i where ${open} ${cursor === null ? sql`` : sql`and i.id > ${cursor}`} order by i.id limit ${limit + 1}`);
    const page = toPage(rows, limit, (row) => [row.id]);
    return {
      buckets: sums.map(({ currency, bucket, invoices, amount }) => ({
        currency,
        bucket,
        invoices: Number(invoices),
        amountMinor: BigInt(amount),
      })),
      nextCursor: page.nextCursor,
      items: page.items.map((row) => ({
        invoiceId: row.id,
        organizationId: row.organization_id,
        number: formatInvoiceNumber({ series: row.series, number: row.number === null ? null : Number(row.number) }),
        currency: row.currency,
        amountMinor: BigInt(row.amount),
        openedAt: new Date(row.opened_at),
        dueAt: row.due_at === null ? null : new Date(row.due_at),
        ageDays: row.days,
        bucket: row.bucket,
      })),
    };
  });
}

function bucketOf(days: SQL): SQL {
  return sql`case when ${days} <= 30 then '0-30' when ${days} <= 60 then '31-60' when ${days} <= 90 then '61-90' else '90+' end`;
}
