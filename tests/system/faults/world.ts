import { connectDatabase } from "@sewa/db";
import type { Devcluster } from "@sewa/devcluster";
import { type SQL, sql } from "drizzle-orm";
import type { House } from "../house.ts";

/** What is left of a life when it has ended. Two lives that went the same way have equal stories, crash or not. */
export interface Story {
  /** `type`, in order, without `instance.phaseChanged`: it says what somebody happened to see on the way. */
  readonly events: readonly string[];
  /** `kind status`, in order. */
  readonly operations: readonly string[];
  /** `kind status`, sorted. */
  readonly notifications: readonly string[];
  /** `reason status total`, in order. */
  readonly invoices: readonly string[];
  readonly payments: number;
  readonly periods: number;
  /** Numbers of events that are missing or stand twice, up to the head's. */
  readonly gaps: number;
}

export async function readStory(databaseUrl: string, organizationId: string): Promise<Story> {
  await using database = connectDatabase({ url: databaseUrl, role: "sewa_worker", max: 1 });
  const lines = async (query: SQL): Promise<string[]> => {
    const rows = await database.drizzle.execute<{ line: string }>(query);
    return rows.map(({ line }) => String(line));
  };
  const count = async (query: SQL): Promise<number> => Number((await lines(query))[0]);
  return {
    events: await lines(sql`
      select type as line from events
      where organization_id = ${organizationId} and type <> 'instance.phaseChanged' order by sequence`),
    operations: await lines(
      sql`select kind || ' ' || status as line from operations where organization_id = ${organizationId} order by id`,
    ),
    notifications: await lines(
      sql`select kind || ' ' || status as line from notifications where organization_id = ${organizationId} order by 1`,
    ),
    invoices: await lines(
      sql`select reason || ' ' || status || ' ' || total_minor as line from invoices
        where organization_id = ${organizationId} order by id`,
    ),
    payments: await count(sql`select count(*) as line from payments where organization_id = ${organizationId}`),
    periods: await count(sql`select count(*) as line from billing_periods where organization_id = ${organizationId}`),
    gaps: await count(sql`
      select count(*) as line from organization_heads h
        cross join generate_series(1, h.sequence) as number
        left join events e on e.organization_id = h.organization_id and e.sequence = number
      where h.organization_id = ${organizationId} and e.id is null`),
  };
}

/** What controllers make, and what Kubernetes puts into every namespace by itself. */
const madeByOthers = new Set(["Event", "Pod", "ReplicaSet", "Endpoints", "EndpointSlice", "Lease"]);

/** The objects of one instance that somebody declared, as `Kind name`, sorted; ids and hashes are left out of names. */
export function declaredObjects(devcluster: Devcluster, instanceId: string): readonly string[] {
  const namespace = `sewa-${instanceId}`;
  return devcluster
    .objects()
    .filter(({ kind, metadata }) =>
      kind === "Namespace" ? metadata.name === namespace : metadata.namespace === namespace && !madeByOthers.has(kind),
    )
    .map(({ kind, metadata }) => `${kind} ${withoutIds(metadata.name, instanceId)}`)
    .toSorted();
}

function withoutIds(name: string, instanceId: string): string {
  return name.replaceAll(instanceId, "<id>").replace(/-[0-9a-f]{16}$/, "-<hash>");
}

export function podCount(devcluster: Devcluster, instanceId: string): number {
  return devcluster
    .objects("Pod")
    .filter(({ metadata }) => metadata.namespace === `sewa-${instanceId}`)
    .filter(({ metadata }) => metadata.ownerReferences?.every(({ kind }) => kind !== "Job") ?? true).length;
}

export function volumeUid(devcluster: Devcluster, instanceId: string): string | null {
  const claim = devcluster
    .objects("PersistentVolumeClaim")
    .find(({ metadata }) => metadata.namespace === `sewa-${instanceId}`);
  return claim?.metadata.uid ?? null;
}

/** Names of what dangles; empty is what we want once every app has ended. */
export async function findDangling(house: House): Promise<readonly string[]> {
  const { dangling } = await house.inventory();
  const found = Object.entries(dangling)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name}: ${count}`);
  if (found.length === 0) return [];
  await using database = connectDatabase({ url: house.parts.databaseUrl, role: "sewa_worker", max: 1 });
  const jobs = await database.drizzle.execute<{ line: string }>(sql`
    select concat_ws(' ', id, coalesce(key, 'without key'), payload, 'attempt', attempts, 'locked by', locked_by, 'run at', run_at, last_error) as line
    from graphile_worker._private_jobs where locked_at is not null or last_error is not null or attempts >= max_attempts`);
  return [...found, ...jobs.map(({ line }) => line)];
}
