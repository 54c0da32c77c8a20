import { connectDatabase } from "@sewa/db";
import type { Devcluster } from "@sewa/devcluster";

/** What must be nothing once every app of the house has ended, and what must still be there. */
const questions = {
  "capacity holds": "select count(*) from capacity_holds",
  "room promised in a pool": "select coalesce(sum(held_cpu_millis + held_memory_bytes), 0) from node_pools",
  "open operations": "select count(*) from operations where status in ('queued', 'running')",
  "locked or failed jobs":
    "select count(*) from graphile_worker._private_jobs where locked_at is not null or attempts >= max_attempts or last_error is not null",
  "secrets of removed apps": "select count(*) from instance_secrets",
  "subscriptions that are not closed":
    "select count(*) from subscriptions where status = 'cancelled' and purged_at is null",
  "open invoices": "select count(*) from invoices where status in ('draft', 'open')",
} as const;

const kept = {
  invoices: "select count(*) from invoices where status = 'paid'",
  payments: "select count(*) from payments",
  events: "select count(*) from events",
  "audit rows": "select count(*) from audit_entries",
} as const;

export interface Inventory {
  /** By name; all must be 0. */
  readonly dangling: Readonly<Record<string, number>>;
  /** By name; none may be 0. */
  readonly kept: Readonly<Record<string, number>>;
}

export async function takeInventory(databaseUrl: string, devcluster: Devcluster | null): Promise<Inventory> {
  await using database = connectDatabase({ url: databaseUrl, role: "sewa_worker", max: 1 });
  const ask = async (list: Readonly<Record<string, string>>): Promise<Record<string, number>> => {
    const answers: Record<string, number> = {};
    for (const [name, statement] of Object.entries(list)) {
      const [row] = await database.drizzle.execute(statement);
      answers[name] = Number(Object.values(row ?? {})[0]);
    }
    return answers;
  };
  const ours = devcluster?.objects().filter(({ metadata }) => isOurs(metadata)).length ?? 0;
  return { dangling: { "objects of ours in the cluster": ours, ...(await ask(questions)) }, kept: await ask(kept) };
}

function isOurs(metadata: {
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}): boolean {
  return (
    metadata.labels?.["app.kubernetes.io/managed-by"] === "sewa" || metadata.namespace?.startsWith("sewa-") === true
  );
}
