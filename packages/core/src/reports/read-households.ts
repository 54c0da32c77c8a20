import type { Transaction } from "@sewa/db";
import { instances, invoices, ledgerAccounts, organizations, paymentMethods, subscriptions } from "@sewa/db/schema";
import { and, asc, eq, inArray, lte, ne, or, type SQL, sql } from "drizzle-orm";
import { formatInvoiceNumber } from "../billing/index.ts";
import { assert } from "../errors.ts";
import { collectable } from "../payments/index.ts";
import {
  type ChargeFacts,
  nextPeriodKey,
  readChargeFacts,
  type SubscriptionFacts,
  type SubscriptionRow,
} from "../subscriptions/index.ts";
import type { Household, OpenRenewal, Rented } from "./foretell.ts";
import { moment } from "./read-house.ts";

/** Subscriptions of which something is due by then: a step of time, or money for the renewal that is open. */
export function isDueBy(until: Date): SQL | undefined {
  const collected = sql`select i.subscription_id from (${collectable}) d join invoices i on i.id = d.id where d.due_at <= ${moment(until)}`;
  return or(lte(subscriptions.nextDueAt, until), sql`${subscriptions.id} in (${collected})`);
}

/** The customers of these, with all that is due of them: what they have in their wallet is for all of it. */
export async function readHouseholds(
  reader: Transaction,
  rows: readonly SubscriptionRow[],
  until: Date,
): Promise<readonly Household[]> {
  if (rows.length === 0) return [];
  const organizationIds = [...new Set(rows.map(({ organizationId }) => organizationId))];
  const due = await reader
    .select()
    .from(subscriptions)
    .where(and(isDueBy(until), inArray(subscriptions.organizationId, organizationIds)))
    .orderBy(asc(subscriptions.id));
  const open = await readOpenRenewals(reader, organizationIds, until);
  const owners = await reader.select().from(organizations).where(inArray(organizations.id, organizationIds));
  const facts = await factsOf(reader, due, new Map(owners.map((owner) => [owner.id, owner])));
  const charges = await readChargeFacts({ sql: reader }, due);
  const wallets = await reader
    .select()
    .from(ledgerAccounts)
    .where(and(eq(ledgerAccounts.kind, "wallet"), inArray(ledgerAccounts.organizationId, organizationIds)));
  const cards = await reader
    .select({ organizationId: paymentMethods.organizationId })
    .from(paymentMethods)
    .where(and(eq(paymentMethods.isAutomatic, true), inArray(paymentMethods.organizationId, organizationIds)));
  return owners.map(({ id, country }) => ({
    country,
    walletMinor: new Map(
      wallets
        .filter(({ organizationId }) => organizationId === id)
        .map(({ currency, balanceMinor }) => [currency, balanceMinor]),
    ),
    hasCard: cards.some(({ organizationId }) => organizationId === id),
    rented: facts
      .filter(({ subscription }) => subscription.organizationId === id)
      .map((each) => toRented(each, open, charges)),
  }));
}

function toRented(
  facts: SubscriptionFacts,
  open: ReadonlyMap<string, OpenRenewal>,
  charges: ReadonlyMap<string, ChargeFacts>,
): Rented {
  const { id } = facts.subscription;
  const charge = charges.get(id);
  assert(charge !== undefined, "what is due was read");
  return { facts, open: open.get(id) ?? null, charge };
}

/** By subscription, those whose money is taken by then. */
async function readOpenRenewals(
  reader: Transaction,
  organizationIds: readonly string[],
  until: Date,
): Promise<ReadonlyMap<string, OpenRenewal>> {
  const rows = await reader
    .select({ invoice: invoices, collectsAt: sql<string>`d.due_at`, chargesAt: sql<string | null>`d.charges_at` })
    .from(invoices)
    .innerJoin(sql`(${collectable}) d`, sql`d.id = ${invoices.id}`)
    .where(and(inArray(invoices.organizationId, [...organizationIds]), sql`d.due_at <= ${moment(until)}`));
  return new Map(
    rows.map(({ invoice, collectsAt, chargesAt }) => {
      const { subscriptionId, totalMinor, paidMinor, openedAt, dueAt, periodEnd, createdAt } = invoice;
      const opensAt = openedAt ?? createdAt;
      const renewal = {
        number: formatInvoiceNumber(invoice),
        opensAt,
        dueAt: dueAt ?? opensAt,
        periodEnd: periodEnd ?? opensAt,
        collectsAt: new Date(collectsAt),
        chargesAt: chargesAt === null ? null : new Date(chargesAt),
        amountMinor: totalMinor - paidMinor,
      };
      return [subscriptionId, renewal];
    }),
  );
}

/** The facts of many at once; of one, `loadForUpdate` reads them with its lock. */
async function factsOf(
  reader: Transaction,
  rows: readonly SubscriptionRow[],
  owners: ReadonlyMap<string, SubscriptionFacts["parking"]>,
): Promise<readonly SubscriptionFacts[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const apps = await reader
    .select({
      subscriptionId: instances.subscriptionId,
      provisioningFailedAt: instances.provisioningFailedAt,
      removedAt: instances.removedAt,
    })
    .from(instances)
    .where(inArray(instances.subscriptionId, ids));
  const keys = rows.map((row) => {
    const { termNumber, periodIndex } = nextPeriodKey(row);
    return sql`(${row.id}::uuid, ${termNumber}::int, ${periodIndex}::int)`;
  });
  const next = await reader
    .select({
      subscriptionId: invoices.subscriptionId,
      status: invoices.status,
      liveIntentId: invoices.liveIntentId,
    })
    .from(invoices)
    .where(
      and(
        sql`(${invoices.subscriptionId}, ${invoices.termNumber}, ${invoices.periodIndex}) in (${sql.join(keys, sql`, `)})`,
        ne(invoices.reason, "change"),
        ne(invoices.status, "void"),
      ),
    );
  return rows.map((subscription) => {
    const app = apps.find(({ subscriptionId }) => subscriptionId === subscription.id);
    const nextInvoice = next.find(({ subscriptionId }) => subscriptionId === subscription.id) ?? null;
    const parking = owners.get(subscription.organizationId);
    assert(parking !== undefined, "a subscription has an owner");
    return {
      subscription,
      parking,
      nextInvoice: toNextInvoice(nextInvoice),
      // Of those that are cancelled, which are asked for nothing by time.
      usageInvoice: null,
      instance: { provisioningFailed: app?.provisioningFailedAt != null, removed: app?.removedAt != null },
    };
  });
}

function toNextInvoice(
  invoice: { readonly status: (typeof invoices.$inferSelect)["status"]; readonly liveIntentId: string | null } | null,
): SubscriptionFacts["nextInvoice"] {
  if (invoice === null || invoice.status === "void") return null;
  const { status, liveIntentId } = invoice;
  return { status, isBeingPaid: status === "open" && liveIntentId !== null };
}
