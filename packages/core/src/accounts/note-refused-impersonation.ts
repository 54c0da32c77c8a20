import { writeOperatorAudit } from "../audit/index.ts";
import { type CoreContext, organizationOf } from "../context.ts";
import { assert } from "../errors.ts";

/** Writes down, for the house, what an operator wanted to do as a customer and may not. */
export async function noteRefusedImpersonation(
  ctx: CoreContext,
  { procedure }: { readonly procedure: string },
): Promise<void> {
  const { actor } = ctx;
  assert(actor.type === "user" && actor.impersonator !== undefined, "an operator acts as a customer");
  await ctx.transaction(async (tx) => {
    writeOperatorAudit(tx, {
      action: "impersonation.refused",
      subject: { type: "user", id: actor.userId },
      after: { procedure, organizationId: organizationOf(tx) },
    });
    await Promise.resolve();
  });
}
