import { fromPublicId, toCoreConfig } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readEnv } from "./env.ts";
import { type Customer, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  // Customers live in the present here: those on a test clock are in none of the figures.
  const env = readEnv({
    DATABASE_URL: "postgres://nobody@127.0.0.1/unused",
    PORTAL_URL: "http://portal.test",
    SECRETS_KEYRING: `test:${Buffer.alloc(32, 7).toString("base64")}`,
  });
  house = await startTestHouse({ config: toCoreConfig(env) });
});
afterAll(() => house[Symbol.asyncDispose]());

const refused = { data: { appCode: "FORBIDDEN", httpStatus: 403 } };

async function order({ api }: Customer): Promise<string> {
  const offering = await api.offerings.get.query({ slug: "uptime-kuma" });
  const planId = offering.plans.find(({ slug }) => slug === "small")?.id ?? "";
  const { priceKey } = await api.orders.quote.query({ planId, parameters: {} });
  const placed = await api.orders.place.mutate({
    planId,
    parameters: {},
    name: "Status page",
    priceKey,
    idempotencyKey: "order-small",
  });
  return placed.subscription.nextInvoice?.id ?? "";
}

test("a customer learns nothing of what the house earns, and sets no tax", async () => {
  const { admin } = (await house.customer()).api;
  const calls = [
    admin.revenue.summary.query({}),
    admin.revenue.mrr.query({ from: new Date() }),
    admin.revenue.churn.query({}),
    admin.revenue.receivables.query({}),
    admin.revenue.margin.query({}),
    admin.revenue.upcoming.query({}),
    admin.taxes.list.query({}),
    admin.taxes.create.mutate({ name: "Tax", percent: "1", isInclusive: false }),
    admin.taxes.end.mutate({ taxRateId: "tax_00000000000000000000000000" }),
  ];
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(refused)));
});

test("a tax that an operator sets stands on the quote, the order, the invoice and its document", async () => {
  const [customer, stranger, operator] = [await house.customer(), await house.customer(), await house.operator()];
  const { admin } = operator.api;
  const rate = await admin.taxes.create.mutate({ name: "PPN", percent: "11", isInclusive: false, country: "ID" });
  expect(rate).toMatchObject({ percent: "11", country: "ID", endsAt: null });
  expect(await customer.api.organizations.update.mutate({ taxId: " 01.234 ", country: "ID" })).toMatchObject({
    taxId: "01.234",
    country: "ID",
  });
  expect((await customer.api.auth.me.query()).organization).toMatchObject({ taxId: "01.234", country: "ID" });
  const invoiceId = await order(customer);
  expect((await customer.api.orders.list.query({})).items).toMatchObject([
    { taxMinor: 5_500n, total: { amountMinor: 55_500n } },
  ]);
  expect(await customer.api.invoices.get.query({ invoiceId })).toMatchObject({
    total: { amountMinor: 55_500n },
    taxes: [{ name: "PPN", percent: "11", isInclusive: false, amountMinor: 5_500n }],
    customer: { taxId: "01.234" },
  });
  const { base64, ...file } = await customer.api.invoices.document.query({ invoiceId, format: "pdf" });
  expect(file.contentType).toBe("application/pdf");
  expect(file.fileName).toMatch(/^INV-\d{4}-\d{6}\.pdf$/);
  expect(Buffer.from(base64, "base64").subarray(0, 5).toString()).toBe("%PDF-");
  const page = await customer.api.invoices.document.query({ invoiceId, format: "html" });
  expect(Buffer.from(page.base64, "base64").toString()).toContain("PPN 11%");
  for (const { api } of [stranger, operator]) {
    const asked = api.invoices.document.query({ invoiceId, format: "html" });
    await expect(asked).rejects.toMatchObject({ data: { appCode: "NOT_FOUND", httpStatus: 404 } });
  }

  const [month] = await admin.revenue.summary.query({});
  expect(month).toMatchObject({ currency: "IDR", chargedMinor: 50_000n, revenueMinor: 50_000n, receivedMinor: 0n });
  const owed = await admin.revenue.receivables.query({});
  expect(owed.buckets).toEqual([{ currency: "IDR", bucket: "0-30", invoices: 1, amountMinor: 55_500n }]);
  expect(owed.items).toMatchObject([{ invoiceId, ageDays: 0, amountMinor: 55_500n }]);
  expect(fromPublicId("organization", owed.items[0]?.organizationId ?? "")).not.toBeNull();
  const { items } = await admin.revenue.margin.query({});
  expect(items).toMatchObject([{ broughtMinor: 0n, costMinor: null, marginMinor: null }]);
  expect(await admin.revenue.upcoming.query({})).toEqual({ items: [], nextCursor: null });
  expect(await admin.revenue.churn.query({})).toEqual([]);

  const organizationId = owed.items[0]?.organizationId ?? "";
  const money = { organizationId, amount: { amountMinor: 55_500n, currency: "IDR" }, invoiceId };
  const paid = await admin.payments.record.mutate({ ...money, reference: "BANK 7", idempotencyKey: "payment-1" });
  const refund = {
    organizationId,
    paymentId: paid.payments[0]?.id ?? "",
    reason: "An outage.",
    target: "wallet",
  } as const;
  const part = { amountMinor: 11_100n, currency: "IDR" };
  const moved = await admin.transactions.refund.mutate({ ...refund, amount: part, idempotencyKey: "refund-1" });
  expect(moved).toMatchObject({ amount: part, debit: "revenue", credit: "wallet" });
  const { creditNotes } = await customer.api.invoices.get.query({ invoiceId });
  expect(creditNotes).toMatchObject([{ amount: part, taxMinor: 1_100n }]);
  const creditNoteNumber = creditNotes[0]?.number ?? "";
  const note = await customer.api.invoices.document.query({ invoiceId, format: "html", creditNoteNumber });
  expect(note.fileName).toBe(`${creditNoteNumber}.html`);
  expect(Buffer.from(note.base64, "base64").toString()).toContain("PPN 11%");
  const wrong = customer.api.invoices.document.query({
    invoiceId,
    format: "html",
    creditNoteNumber: "INV-CN-2020-000001",
  });
  await expect(wrong).rejects.toMatchObject({ data: { appCode: "NOT_FOUND", httpStatus: 404 } });
  const [after] = await admin.revenue.summary.query({});
  expect(after).toMatchObject({
    refundedMinor: 10_000n,
    revenueMinor: 40_000n,
    receivedMinor: 55_500n,
    aheadMinor: 0n,
  });

  expect((await admin.taxes.end.mutate({ taxRateId: rate.id })).endsAt).not.toBeNull();
  expect((await admin.taxes.list.query({})).items.map(({ id }) => id)).toEqual([rate.id]);
});

test("what cannot be meant is refused", async () => {
  const { admin } = (await house.operator()).api;
  const now = new Date();
  const tomorrow = new Date(now.getTime() + 86_400_000);
  const wrong = [
    admin.revenue.summary.query({ from: "2026-13" }),
    admin.revenue.summary.query({ from: "2020-01", to: "2025-01" }),
    admin.revenue.churn.query({ from: "2026-02", to: "2026-01" }),
    admin.revenue.mrr.query({ from: now, to: tomorrow }),
    admin.revenue.mrr.query({ from: now, to: new Date(0) }),
    admin.revenue.upcoming.query({ until: new Date(0) }),
    admin.revenue.upcoming.query({ until: new Date(now.getTime() + 40 * 86_400_000) }),
    admin.revenue.receivables.query({ limit: 101 }),
    admin.taxes.create.mutate({ name: "PPN", percent: "11.123", isInclusive: false }),
    admin.taxes.create.mutate({ name: "PPN", percent: "11", isInclusive: false, country: "id" }),
  ];
  const invalid = { data: { appCode: "INVALID_INPUT", httpStatus: 400 } };
  await Promise.all(wrong.map((call) => expect(call).rejects.toMatchObject(invalid)));
  const unknown = admin.taxes.end.mutate({ taxRateId: "tax_00000000000000000000000000" });
  await expect(unknown).rejects.toMatchObject({ data: { appCode: "NOT_FOUND" } });
});
