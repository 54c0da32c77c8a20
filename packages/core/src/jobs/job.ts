import { z } from "zod";

/** Lower runs first. Within one, whoever was due earlier. */
const priorities = {
  /** A person is waiting for it. */
  awaited: 0,
  /** It is due by the clock, and a minute does not matter. */
  due: 10,
  /** Tidying up. */
  idle: 20,
} as const;

/**
 * Every task of the workers: its name, the shape of its payload (checked when it is added and again when it runs), what
 * makes two prompts the same prompt, and what goes before what in a long queue. A payload holds a key and no state: the
 * row is read when the job runs.
 */
export const jobs = {
  "instance:reconcile": {
    payload: z.strictObject({ instanceId: z.uuid() }),
    key: "instanceId",
    priority: priorities.awaited,
  },
  "subscription:reconcile": {
    payload: z.strictObject({ subscriptionId: z.uuid() }),
    key: "subscriptionId",
    priority: priorities.due,
  },
  "change:preview": {
    payload: z.strictObject({ changeId: z.uuid() }),
    key: "changeId",
    priority: priorities.awaited,
  },
  "change:reconcile": {
    payload: z.strictObject({ instanceId: z.uuid() }),
    key: "instanceId",
    priority: priorities.awaited,
  },
  "payment:reconcile": {
    payload: z.strictObject({ intentId: z.uuid() }),
    key: "intentId",
    priority: priorities.awaited,
  },
  "refund:reconcile": {
    payload: z.strictObject({ refundId: z.uuid() }),
    key: "refundId",
    priority: priorities.due,
  },
  "invoice:collect": {
    payload: z.strictObject({ invoiceId: z.uuid() }),
    key: "invoiceId",
    priority: priorities.due,
  },
  "wallet:topUp": {
    payload: z.strictObject({ organizationId: z.uuid() }),
    key: "organizationId",
    priority: priorities.due,
  },
  "mail:send": {
    payload: z.strictObject({ notificationId: z.uuid() }),
    key: "notificationId",
    priority: priorities.due,
  },
  "clock:advance": {
    payload: z.strictObject({ organizationId: z.uuid() }),
    key: "organizationId",
    priority: priorities.awaited,
  },
  "node:reconcile": { payload: z.strictObject({}), key: null, priority: priorities.awaited },
  "instance:probe": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "usage:sample": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "usage:rate": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "instance:sweep": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "subscription:sweep": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "payment:sweep": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "subscription:remind": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "impersonation:sweep": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "mail:sweep": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "inventory:audit": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "books:check": {
    payload: z.strictObject({ mode: z.enum(["recent", "whole"]) }),
    key: "mode",
    priority: priorities.due,
  },
  "account:erase": {
    payload: z.strictObject({ userId: z.uuid() }),
    key: "userId",
    priority: priorities.idle,
  },
  "account:sweep": { payload: z.strictObject({}), key: null, priority: priorities.idle },
  "operator:remind": { payload: z.strictObject({}), key: null, priority: priorities.due },
  "keys:rotate": { payload: z.strictObject({}), key: null, priority: priorities.idle },
  "audit:check": { payload: z.strictObject({}), key: null, priority: priorities.idle },
  "ledger:check": { payload: z.strictObject({}), key: null, priority: priorities.idle },
  "house:clean": { payload: z.strictObject({}), key: null, priority: priorities.idle },
} as const satisfies Record<
  string,
  { readonly payload: z.ZodType; readonly key: string | null; readonly priority: number }
>;

export type JobName = keyof typeof jobs;
export type JobPayload<N extends JobName> = z.infer<(typeof jobs)[N]["payload"]>;

export function isJobName(name: string): name is JobName {
  return Object.hasOwn(jobs, name);
}

const requestIdField = "_requestId";
/** What graphile-worker's cron adds: when it meant the job to run. */
const cronField = "_cron";

/** What stands in the job's row: the payload, and as a trace the request that it was added for. */
export function toStoredPayload(
  payload: Readonly<Record<string, unknown>>,
  requestId: string | null,
): Readonly<Record<string, unknown>> {
  return requestId === null ? payload : { ...payload, [requestIdField]: requestId };
}

/** The other way round. `payload` is yet to be checked. */
export function fromStoredPayload(stored: unknown): { readonly payload: unknown; readonly requestId: string | null } {
  if (stored === null || typeof stored !== "object" || Array.isArray(stored))
    return { payload: stored, requestId: null };
  const { [requestIdField]: requestId, [cronField]: _, ...payload } = stored as Readonly<Record<string, unknown>>;
  return { payload, requestId: typeof requestId === "string" ? requestId : null };
}

/** Unique over all tasks: `<task>:<id>`. */
export function jobKey<N extends JobName>(name: N, payload: JobPayload<N>): string {
  const field = jobs[name].key;
  return field === null ? name : `${name}:${String((payload as Record<string, unknown>)[field])}`;
}
