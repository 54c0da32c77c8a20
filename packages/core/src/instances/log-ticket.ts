import { instances } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { addMs, minuteMs } from "../clock.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { listLivingPools } from "../jobs/index.ts";
import { authorize } from "../permissions.ts";
import { podsOf } from "./instance.ts";
import type { ObservedPod } from "./observation.ts";
import { resolveInstance } from "./resolve-instance.ts";

/** More than a person reads at once. */
export const maxTailLines = 1_000;

export interface LogTicketInput {
  readonly instanceId: string;
  /** One of the instance's pods; without it, the one that serves. */
  readonly pod?: string | undefined;
  /** Without it, the one that runs the app. */
  readonly container?: string | undefined;
  /** Of the run before the last restart. */
  readonly isPrevious?: boolean | undefined;
  readonly isFollowed?: boolean | undefined;
  /** Null: all that are kept, from `since` on. */
  readonly tailLines: number | null;
  readonly since?: Date | null | undefined;
}

/** Where a log can be read for the next minute. */
export interface LogSource {
  /** Internal addresses of the workers that can relay it, in the order in which they should be asked. */
  readonly urls: readonly string[];
  readonly ticket: string;
  readonly pod: string;
  /** The pod has ended as observed last: nothing more will be written. */
  readonly hasEnded: boolean;
}

const ticketSchema = z.strictObject({
  instanceId: z.uuid(),
  pod: z.string(),
  container: z.string(),
  isPrevious: z.boolean(),
  isFollowed: z.boolean(),
  tailLines: z.int().min(0).nullable(),
  since: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime(),
});

/** What a ticket allows: one log of one pod. */
export type LogTicket = Readonly<z.infer<typeof ticketSchema>>;

/** Names of Kubernetes: nothing in them can lead to another path. */
const podName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const containerName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Keeps a signature over something else from being taken for a ticket. */
const purpose = "log-ticket";

/**
 * Lets whoever may read the logs of an instance have one pod's for a minute, from any worker that lives. Throws FORBIDDEN,
 * NOT_FOUND (also for a pod that is not this instance's), LOGS_UNAVAILABLE when it has no pods or no worker lives.
 */
export async function createLogTicket(ctx: CoreContext, input: LogTicketInput): Promise<LogSource> {
  authorize(ctx.actor, "instance.readLogs");
  const pod = await findPod(ctx, input.instanceId, input.pod);
  if (input.container !== undefined && !containerName.test(input.container)) throw notFound("container");
  const urls = (await listLivingPools(ctx)).flatMap(({ internalUrl }) => internalUrl ?? []);
  if (urls.length === 0) throw unavailable("Logs cannot be read at the moment.");
  const ticket: LogTicket = {
    instanceId: input.instanceId,
    pod: pod.name,
    // The app's own container is named after its part.
    container: input.container ?? pod.workload,
    isPrevious: input.isPrevious ?? false,
    isFollowed: input.isFollowed ?? false,
    tailLines: input.tailLines,
    since: input.since?.toISOString() ?? null,
    expiresAt: addMs(ctx.clock.now(), minuteMs).toISOString(),
  };
  const body = Buffer.from(JSON.stringify(ticket)).toString("base64url");
  const hasEnded = pod.phase === "Succeeded" || pod.phase === "Failed";
  return { urls, ticket: `${body}.${ctx.keyring.sign(`${purpose}|${body}`)}`, pod: pod.name, hasEnded };
}

/** Null for what we have not signed, for what is older than a minute, and for what another version of us understands. */
export function verifyLogTicket(ctx: Pick<CoreContext, "keyring" | "clock">, ticket: string): LogTicket | null {
  const [body = "", signature = "", ...rest] = ticket.split(".");
  if (rest.length > 0 || ctx.keyring.findSigner(`${purpose}|${body}`, signature) === null) return null;
  const parsed = ticketSchema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString("utf8")));
  return parsed.success && ctx.clock.now() < new Date(parsed.data.expiresAt) ? parsed.data : null;
}

async function findPod(ctx: CoreContext, instanceId: string, name: string | undefined): Promise<ObservedPod> {
  const { pods, exposed } = await ctx.transaction(async (tx) => {
    const [instance] = await tx.sql
      .select()
      .from(instances)
      .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, instanceId)));
    if (instance === undefined) throw notFound("instance");
    return {
      pods: podsOf(instance).filter((pod) => podName.test(pod.name)),
      exposed: name === undefined ? (await resolveInstance(tx, instance)).exposed.workload : null,
    };
  });
  if (exposed !== null) {
    const pod = choosePod(pods, exposed);
    if (pod === null) throw unavailable("The app has no pods at the moment, so there are no logs.");
    return pod;
  }
  const pod = pods.find((candidate) => candidate.name === name);
  if (pod === undefined) throw notFound("pod");
  return pod;
}

/** Of the part of the app that the address leads to, where it has pods: the one that is ready, else the one started last. */
export function choosePod(pods: readonly ObservedPod[], exposed: string): ObservedPod | null {
  const ofExposed = pods.filter(({ workload }) => workload === exposed);
  const byAge = (ofExposed.length > 0 ? ofExposed : pods).toSorted((one, other) =>
    (other.startedAt ?? "").localeCompare(one.startedAt ?? ""),
  );
  return byAge.find(({ ready }) => ready) ?? byAge[0] ?? null;
}

function unavailable(message: string): DomainError {
  return new DomainError("LOGS_UNAVAILABLE", message, { retryAfterSeconds: 5 });
}
