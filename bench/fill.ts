import { placeOrder } from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { type House, newKey, openCustomers, readFreePlan } from "./house.ts";

/** Rented by one customer. */
const appsEach = 10;
const partRows = 50_000;

/**
 * Copies one order by SQL until there are so many, ten to a customer. Of them `due` are due and the others are not for a month: spread
 * over the table, as ids are. Constraints between tables are not looked at meanwhile.
 */
export async function fillWithDue(
  { ctx, url }: House,
  { subscriptions, due, asked }: { readonly subscriptions: number; readonly due: number; readonly asked: number },
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
  // By a part at a time, so that no statement outlasts its deadline.
  const inParts = async (count: number, statement: (numbers: string) => string): Promise<void> => {
    for (let from = 1; from <= count; from += partRows)
      await run(statement(`generate_series(${from}, ${Math.min(from + partRows - 1, count)})`));
  };
  // Joined and not spread by `(…).*`, which makes the row anew for each of its columns.
  const copy = (table: string, where: string, count: number, changes: Readonly<Record<string, string>>) =>
    inParts(
      count,
      (numbers) => `insert into ${table} select copied.* from ${table} t, ${numbers} n,
        lateral jsonb_populate_record(t, jsonb_build_object(${Object.entries(changes)
          .map(([column, value]) => `'${column}', ${value}`)
          .join(", ")})) copied where ${where}`,
    );
  await copy("organizations", `t.id = '${customer.organizationId}'`, subscriptions / appsEach, {
    id: idOf("0", "n"),
    slug: "'org-' || n",
  });
  await copy("subscriptions", `t.id = '${subscriptionId}'`, subscriptions, {
    id: ownId.subscription,
    organization_id: organization,
    next_due_at: `now() + case when ${isDue} then interval '-1 hour' else interval '30 days' end`,
    reshape_due_at: `case when ${isDue} then now() - interval '1 hour' end`,
  });
  await copy("instances", `t.subscription_id = '${subscriptionId}'`, subscriptions, {
    id: ownId.instance,
    organization_id: organization,
    subscription_id: ownId.subscription,
    host: "'h' || n",
    ready_at: "now()",
  });
  await copy("capacity_holds", `t.organization_id = '${customer.organizationId}'`, subscriptions, {
    instance_id: ownId.instance,
    organization_id: organization,
  });
  await copy("invoices", `t.subscription_id = '${subscriptionId}'`, subscriptions, {
    id: ownId.invoice,
    organization_id: organization,
    subscription_id: ownId.subscription,
    number: "n + 1000",
    reason: "'renewal'",
  });
  const open = (count: number, which: string) =>
    inParts(
      count,
      (numbers) => `update invoices set status = 'open', total_minor = 100, paid_at = null, closed_at = null
        where id in (select ${ownId.invoice} from ${numbers} n where ${which})`,
    );
  await open(subscriptions, isDue);
  await open(asked, `not (${isDue})`);
  await inParts(
    asked,
    (numbers) => `insert into invoice_collections (invoice_id, organization_id, started_at, next_attempt_at)
      select ${ownId.invoice}, ${organization}, now(), now() from ${numbers} n where not (${isDue})`,
  );
  // Of each app an hour that is recorded, and of the due ones one that is not.
  await inParts(
    subscriptions,
    (numbers) => `insert into usage_hours (organization_id, instance_id, hour_at, covered_seconds, cpu_milli_seconds,
        cpu_max_millis, memory_byte_seconds, memory_max_bytes, storage_covered_seconds, storage_byte_seconds, storage_max_bytes, is_rated)
      select ${organization}, ${ownId.instance}, date_trunc('hour', now()) - interval '2 hours' - back * interval '1 hour', 3600, 0,
        0, 0, 0, 3600, 0, 0, back = 0 from ${numbers} n, generate_series(0, 1) back where back = 0 or ${isDue}`,
  );
  await run("set session_replication_role = default");
  const filled = ["organizations", "subscriptions", "instances", "capacity_holds", "invoices"];
  for (const table of [...filled, "invoice_collections", "usage_hours"]) await run(`vacuum analyze ${table}`);
}

/** The same for the same number, in the order of the numbers. */
function idOf(kind: string, number: string): string {
  return `('0000000${kind}-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}
