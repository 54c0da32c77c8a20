import { fromPublicId, type IdKind } from "@sewa/core";
import type { Client } from "@sewa/dev";
import { type House, isUp, order, reached, until } from "../house.ts";

const dayMs = 24 * 3_600_000;

/** The life of one order, in its stages. Each ends when its customer sees that it has. */
export const stages = ["provision", "expire", "renew", "cancel"] as const;
export type Stage = (typeof stages)[number];

export interface Life {
  readonly organizationId: string;
  readonly instanceId: string;
}

/** Plays one life; `before` is called with each stage, which begins when it resolves. */
export async function live(
  house: House,
  client: Client,
  watch: { before(stage: Stage): Promise<void>; after(stage: Stage, life: Life): Promise<void> },
): Promise<Life> {
  const { api } = client;
  const key = (): string => `life-${crypto.randomUUID()}`;

  await watch.before("provision");
  const { subscription } = await order(client, "App");
  const { instanceId, id: subscriptionId } = subscription;
  const { organization } = await api.auth.me.query();
  const life = { organizationId: toUuid("organization", organization.id), instanceId: toUuid("instance", instanceId) };
  await reached(client, instanceId, isUp);
  await watch.after("provision", life);

  await watch.before("expire");
  const { now } = await api.clock.get.query();
  const to = new Date(now.getTime() + 31 * dayMs);
  await api.clock.advance.mutate({ to });
  await until("the clock has arrived", async () => ((await api.clock.get.query()).now >= to ? true : null));
  await reached(client, instanceId, ({ observedPhase }) => observedPhase === "stopped");
  await watch.after("expire", life);

  await watch.before("renew");
  await api.subscriptions.renew.mutate({ subscriptionId, idempotencyKey: key() });
  await reached(client, instanceId, isUp);
  await watch.after("renew", life);

  await watch.before("cancel");
  await api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "App", idempotencyKey: key() });
  await until(
    "the subscription is closed",
    async () => (await api.subscriptions.get.query({ subscriptionId })).purgedAt,
  );
  await watch.after("cancel", life);
  return life;
}

/** Rows and objects are named by the uuid behind the id that customers see. */
export function toUuid(kind: IdKind, publicId: string): string {
  const uuid = fromPublicId(kind, publicId);
  if (uuid === null) throw new Error(`${publicId} is no id of a kind ${kind}.`);
  return uuid;
}
