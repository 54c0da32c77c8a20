import { refunds } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { recordPayment } from "../subscriptions/index.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { getInvoiceRow, listInvoices, refundInvoice } from "./index.ts";

test("a payment is given back once and in full, by however many at the same time", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx, organizationId } = await givenCustomer(core.ctx);
  await givenOrder(ctx, { plan: "small" });
  const [asked] = (await listInvoices(ctx, {})).items;
  const { id: invoiceId, totalMinor: amountMinor, currency } = asked!.invoice;
  const house = core.ctx.forOrganization(organizationId);
  await recordPayment(house, { invoiceId, amountMinor, currency, reference: "bank 1", idempotencyKey: "payment-1" });
  const refund = () =>
    house.transaction(async (tx) => refundInvoice(tx, await getInvoiceRow(tx, invoiceId), "Unused."));
  await Promise.all(Array.from({ length: 5 }, refund));
  await refund();
  expect(await core.database.drizzle.select().from(refunds)).toMatchObject([{ amountMinor, currency }]);
});
