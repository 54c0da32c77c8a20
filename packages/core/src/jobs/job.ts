import { z } from "zod";

/**
 * Every task of the workers: its name, the shape of its payload (checked when it is added and again when it runs), and
 * what makes two prompts the same prompt. A payload holds a key and no state: the row is read when the job runs.
 */
export const jobs = {
  "instance:reconcile": { payload: z.strictObject({ instanceId: z.uuid() }), key: "instanceId" },
  "subscription:reconcile": {
    payload: z.strictObject({ subscriptionId: z.uuid() }),
    key: "subscriptionId",
  },
  "mail:send": { payload: z.strictObject({ notificationId: z.uuid() }), key: "notificationId" },
  "clock:advance": { payload: z.strictObject({ organizationId: z.uuid() }), key: "organizationId" },
  "node:reconcile": { payload: z.strictObject({}), key: null },
  "instance:sweep": { payload: z.strictObject({}), key: null },
  "subscription:sweep": { payload: z.strictObject({}), key: null },
  "subscription:remind": { payload: z.strictObject({}), key: null },
  "mail:sweep": { payload: z.strictObject({}), key: null },
  "house:clean": { payload: z.strictObject({}), key: null },
} as const satisfies Record<string, { readonly payload: z.ZodType; readonly key: string | null }>;

export type JobName = keyof typeof jobs;
export type JobPayload<N extends JobName> = z.infer<(typeof jobs)[N]["payload"]>;

export const jobNames = Object.keys(jobs) as readonly JobName[];

export function isJobName(name: string): name is JobName {
  return Object.hasOwn(jobs, name);
}

/** Unique over all tasks: `<task>:<id>`. */
export function jobKey<N extends JobName>(name: N, payload: JobPayload<N>): string {
  const field = jobs[name].key;
  return field === null ? name : `${name}:${String((payload as Record<string, unknown>)[field])}`;
}
