import { keyRotations } from "@sewa/db/schema";
import { desc, isNull } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { enqueue } from "../jobs/index.ts";
import { authorize } from "../permissions.ts";

export type KeyRotationRow = typeof keyRotations.$inferSelect;

/**
 * Asks for everything to be closed by the newest key of the keyring; the job `keys:rotate` does it. While one is open, the
 * same target again is that one. Throws CONFLICT while there is one to another key.
 */
export async function rotateKeys(ctx: CoreContext): Promise<KeyRotationRow> {
  authorize(ctx.actor, "admin.keys.rotate");
  const [target] = ctx.keyring.ids;
  assert(target !== undefined, "a keyring holds at least one key");
  return ctx.transaction(async (tx) => {
    const [asked] = await tx.sql
      .insert(keyRotations)
      .values({ id: ctx.ids.next(), target, requestedAt: ctx.clock.now() })
      .onConflictDoNothing()
      .returning();
    const [open] = await tx.sql.select().from(keyRotations).where(isNull(keyRotations.finishedAt));
    if (asked === undefined && open !== undefined && open.target !== target)
      throw new DomainError("CONFLICT", `A rotation to the key ${open.target} has not ended.`);
    if (asked !== undefined)
      writeOperatorAudit(tx, { action: "keys.rotationRequested", subject: { type: "key", id: target } });
    await enqueue(tx, "keys:rotate", {});
    const rotation = asked ?? open;
    if (rotation === undefined) throw new DomainError("CONFLICT", "A rotation has just ended. Ask again.");
    return rotation;
  });
}

/** The last one that was asked for, whether it has ended or not. */
export async function findLastRotation(ctx: CoreContext): Promise<KeyRotationRow | null> {
  authorize(ctx.actor, "admin.keys.read");
  const [last] = await ctx.db.drizzle.select().from(keyRotations).orderBy(desc(keyRotations.id)).limit(1);
  return last ?? null;
}
