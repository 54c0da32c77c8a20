import { idempotencyRecords } from "@sewa/db/schema";
import { databaseErrorOf } from "@sewa/db";
import { and, eq } from "drizzle-orm";
import superjson from "superjson";
import { addMs, hourMs } from "../clock.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { sha256Hex } from "../ids.ts";

export const idempotencyHours = 48;

export interface OnceInput {
  /** What the client made up for this one intention. */
  readonly key: string;
  readonly procedure: string;
  readonly input: unknown;
}

/**
 * Runs `work` in one transaction at most once per key. A second call with the same key and input is answered with what
 * the first one answered; with another input it is refused. While the first one still runs, the second waits for its
 * row and is refused with IN_PROGRESS when that takes longer than the lock time-out. Only successes are kept, for 48 h.
 * The answer must hold no secrets: it is stored as it is.
 */
export async function once<T>(
  ctx: CoreContext,
  { key, procedure, input }: OnceInput,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const inputHash = sha256Hex(superjson.stringify(input));
  let isMine = false;
  try {
    return await ctx.transaction(async (tx) => {
      isMine = false;
      const organizationId = organizationOf(tx);
      const own = and(eq(idempotencyRecords.organizationId, organizationId), eq(idempotencyRecords.key, key));
      const inserted = await tx.sql
        .insert(idempotencyRecords)
        .values({
          organizationId,
          key,
          procedure,
          inputHash,
          expiresAt: addMs(tx.ctx.clock.now(), idempotencyHours * hourMs),
        })
        .onConflictDoNothing()
        .returning({ key: idempotencyRecords.key });
      if (inserted.length === 0) {
        const [earlier] = await tx.sql.select().from(idempotencyRecords).where(own);
        return replay<T>(earlier, procedure, inputHash);
      }
      isMine = true;
      const result = await work(tx);
      await tx.sql
        .update(idempotencyRecords)
        .set({ response: superjson.serialize(result) })
        .where(own);
      return result;
    });
  } catch (error) {
    // 55P03: a row stayed locked for longer than we wait; the first call's, or one that others change too.
    if (databaseErrorOf(error)?.code === "55P03") {
      if (isMine)
        throw new DomainError("CONFLICT", "Others are changing the same. Try again.", { retryAfterSeconds: 1 });
      throw new DomainError("IN_PROGRESS", "The first call with this key is still running.", { retryAfterSeconds: 1 });
    }
    throw error;
  }
}

function replay<T>(
  earlier: typeof idempotencyRecords.$inferSelect | undefined,
  procedure: string,
  inputHash: string,
): T {
  if (earlier === undefined || earlier.response === null) {
    throw new DomainError("IN_PROGRESS", "The first call with this key is still running.", { retryAfterSeconds: 1 });
  }
  if (earlier.procedure !== procedure || earlier.inputHash !== inputHash) {
    throw new DomainError("IDEMPOTENCY_KEY_REUSED", "This idempotency key was used for another request.");
  }
  return superjson.deserialize<T>(earlier.response as Parameters<typeof superjson.deserialize>[0]);
}
