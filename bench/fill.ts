import { placeOrder } from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { type House, newKey, openCustomers, readFreePlan } from "./house.ts";

/** Rented by one customer. */
const appsEach = 10;

/**
 * Copies one order by SQL until there are so many, ten to a customer. Of them `due` are due and the others are not for a month: spread
 * over the table, as ids are. Constraints between tables are not looked at meanwhile.
 */
export async function fillWithDue(
  { ctx, url }: House,
  { subscriptions, due }: { readonly subscriptions: number; readonly due: number },
): Promise<void> {
  const [customer] = await openCustomers(ctx, 1);
  const free = await readFreePlan(customer.ctx);
  const order = await placeOrder(customer.ctx, { ...free, parameters: {}, name: "App", idempotencyKey: newKey() });
  const { id: subscriptionId } = order.subscription.subscription;
  await using owner = connectDatabase({ url, role: "sewa_owner", max: 1 });
  const run = (statement: string): Promise<unknown> => owner.drizzle.execute(statement);
  await run("set role none");
  await run("set session_replication_role = replica");
  const isDue = `n % ${Math.floor(subscriptions / due)} = 0`;
  const organization = idOf("0", `n / ${appsEach}`);
  const ownId = { subscription: idOf("1", "n"), instance: idOf("2", "n"), invoice: idOf("3", "n") };
  const copy = (table: string, where: string, count: number, changes: Readonly<Record<string, string>>) =>
    run(
      `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object(${Object.entries(changes)
        .map(([column, value]) => `'${column}', ${value}`)
        .join(", ")}))).* from ${table} t, generate_series(1, ${count}) n where ${where}`,
    );
  await copy("organizations", `id = '${customer.organizationId}'`, subscriptions / appsEach, { id: idOf("0", "n") });
  await copy("subscriptions", `id = '${subscriptionId}'`, subscriptions, {
    id: ownId.subscription,
    organization_id: organization,
    next_due_at: `now() + case when ${isDue} then interval '-1 hour' else interval '30 days' end`,
    reshape_due_at: `case when ${isDue} then now() - interval '1 hour' end`,
  });
  await copy("instances", `subscription_id = '${subscriptionId}'`, subscriptions, {
    id: ownId.instance,
    organization_id: organization,
    subscription_id: ownId.subscription,
    host: "'h' || n",
    ready_at: "now()",
  });
  await copy("capacity_holds", "true", subscriptions, {
    instance_id: ownId.instance,
    organization_id: organization,
  });
  await copy("invoices", `subscription_id = '${subscriptionId}'`, subscriptions, {
    id: ownId.invoice,
    organization_id: organization,
    subscription_id: ownId.subscription,
    number: "n + 1000",
    reason: "'renewal'",
  });
  await run(`update invoices set status = 'open', total_minor = 100, paid_at = null, closed_at = null
    where id in (select ${ownId.invoice} from generate_series(1, ${subscriptions}) n where ${isDue})`);
  await run("set session_replication_role = default");
  await run("vacuum analyze organizations, subscriptions, instances, capacity_holds, invoices");
}

/** The same for the same number, in the order of the numbers. */
function idOf(kind: string, number: string): string {
  return `('0000000${kind}-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}
