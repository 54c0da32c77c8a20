import { instances } from "@sewa/db/schema";
import { and, eq } from "drizzle-orm";
import { authorize } from "../permissions.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { DomainError, notFound } from "../errors.ts";
import { record } from "../events/index.ts";
import { deriveAddress } from "./instance.ts";
import { openSecrets } from "./instance-secrets.ts";
import { resolveInstance } from "./resolve-instance.ts";

export interface Credentials {
  readonly url: string;
  readonly credentials: readonly { readonly name: string; readonly label: string; readonly value: string }[];
  /** What the blueprint tells its customer to do first. */
  readonly instructions: string | null;
}

/** Shows what the owner needs to log in. Changes nothing but the audit, and is a mutation because of it. */
export async function revealCredentials(ctx: CoreContext, instanceId: string): Promise<Credentials> {
  authorize(ctx.actor, "instance.revealCredentials");
  return ctx.transaction(async (tx) => {
    const [instance] = await tx.sql
      .select()
      .from(instances)
      .where(and(eq(instances.organizationId, organizationOf(tx)), eq(instances.id, instanceId)));
    if (instance === undefined) throw notFound("instance");
    if (instance.readyAt === null || instance.desiredPhase === "absent") {
      throw new DomainError("INVALID_TRANSITION", "The app is not ready, so there are no credentials yet.");
    }
    const app = await resolveInstance(tx, instance);
    const values = await openSecrets(tx, instanceId);
    const shown = app.secrets.filter(({ reveal }) => reveal === "owner");
    record(tx, {
      type: "instance.credentialsRevealed",
      instanceId,
      subscriptionId: instance.subscriptionId,
      data: { names: shown.map(({ name }) => name) },
    });
    return {
      url: deriveAddress(ctx.config, instance.host),
      credentials: shown.map(({ name, label }) => ({ name, label, value: values[name] ?? "" })),
      instructions: app.instructions,
    };
  });
}
