import { api } from "./frontend.js";

/** What the compiler has to catch: an expected error that does not come is an error. */
export async function mistakes(): Promise<void> {
  // @ts-expect-error -- There is no such procedure.
  await api.orders.destroy.mutate({});
  // @ts-expect-error -- Nothing is paid without a key.
  await api.subscriptions.renew.mutate({ subscriptionId: "sub_1" });
  const payment = { organizationId: "org_1", invoiceId: "inv_1", reference: "1", idempotencyKey: "12345678" };
  // @ts-expect-error -- Amounts are bigints.
  await api.admin.payments.record.mutate({ ...payment, amount: { amountMinor: 1, currency: "IDR" } });
  // @ts-expect-error -- Queries are not mutated.
  await api.offerings.list.mutate({});
  const { items } = await api.events.list.query({});
  // @ts-expect-error -- There is no such event.
  items.filter(({ type }) => type === "instance.exploded");
}
