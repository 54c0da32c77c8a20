import type { PlanLimits } from "@sewa/blueprint";
import type { AddonCounts } from "../catalog/index.ts";
import { instances } from "@sewa/db/schema";
import { organizationOf, type Tx } from "../context.ts";
import { assert } from "../errors.ts";
import { record } from "../events/index.ts";
import { randomText } from "../ids.ts";
import type { InstanceRow } from "./instance.ts";
import { createSecrets } from "./instance-secrets.ts";
import { resolveInstance } from "./resolve-instance.ts";

export interface NewInstance {
  readonly subscriptionId: string;
  readonly planId: string;
  readonly blueprintVersionId: string;
  readonly offeringSlug: string;
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly addons: AddonCounts;
  /** With what the add-ons add. */
  readonly limits: PlanLimits;
  readonly nodePool: string;
}

/** Written down as absent: it comes into being when its subscription is paid. */
export async function createInstance(tx: Tx, input: NewInstance): Promise<InstanceRow> {
  const { subscriptionId, planId, blueprintVersionId, offeringSlug, name, parameters, addons, limits, nodePool } =
    input;
  const [instance] = await tx.sql
    .insert(instances)
    .values({
      id: tx.ctx.ids.next(),
      organizationId: organizationOf(tx),
      subscriptionId,
      planId,
      blueprintVersionId,
      name,
      host: `${offeringSlug.slice(0, 40)}-${randomText(6, hostCharacters)}.${tx.ctx.config.appsDomain}`,
      parameters: { ...parameters },
      addons: { ...addons },
      limits: { ...limits },
      nodePool,
      desiredPhase: "absent",
      requestedPhase: "running",
      existence: "absent",
      observedPhase: "absent",
      observedGeneration: 1,
    })
    .returning();
  assert(instance !== undefined, "an inserted instance is returned");
  await createSecrets(tx, instance.id, (await resolveInstance(tx, instance)).secrets);
  record(tx, {
    type: "instance.created",
    instanceId: instance.id,
    subscriptionId,
    data: { name, host: instance.host },
  });
  return instance;
}

// No vowels, so that no word comes out by chance.
const hostCharacters = "bcdfghjkmnpqrstvwxz23456789";
