import { auditEntries, operatorAuditEntries, sessions } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import type { CoreContext } from "../context.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import {
  acceptOperatorInvite,
  authenticate,
  getUserId,
  inviteOperator,
  logIn,
  suspendUser,
  unsuspendUser,
} from "./index.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, tokenOf, verifiedAna } from "./test-accounts.ts";

const reason = "Sends unwanted mail.";

/** An operator at work, and a context that acts as them. */
async function operator(
  core: TestCore,
  email: string,
): Promise<{ readonly userId: string; readonly ctx: CoreContext }> {
  const { userId, url } = await inviteOperator(core.ctx, { email });
  await acceptOperatorInvite(core.ctx, { token: tokenOf(url), password: "operate the house" });
  return { userId, ctx: core.ctx.as({ type: "operator", userId }) };
}

test("who is suspended is out at once and stays out until unsuspended, and both audits say who did it and why", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const { ctx, userId: operatorId } = await operator(core, "op@example.com");
  const { token } = await logIn(core.ctx, ana);
  const now = core.clock.now();
  expect(await suspendUser(ctx, { userId, reason })).toEqual({ userId, suspendedAt: now });
  expect(await suspendUser(ctx, { userId, reason })).toEqual({ userId, suspendedAt: now });
  expect(await authenticate(core.ctx, token)).toBeNull();
  expect(await core.database.drizzle.select().from(sessions)).toEqual([]);
  expect(await refusal(logIn(core.ctx, ana))).toMatchObject({ code: "ACCOUNT_SUSPENDED" });
  expect(await refusal(logIn(core.ctx, { ...ana, password: "wrong horse" }))).toMatchObject({
    code: "INVALID_CREDENTIALS",
  });
  await unsuspendUser(ctx, { userId, reason: "A mistake." });
  expect(await unsuspendUser(ctx, { userId, reason })).toEqual({ userId, suspendedAt: null });
  await logIn(core.ctx, ana);
  const actor = `operator:${operatorId}`;
  const expected = [
    { action: "user.suspended", actor, subjectId: userId, reason },
    { action: "user.unsuspended", actor, subjectId: userId, reason: "A mistake." },
  ];
  for (const table of [auditEntries, operatorAuditEntries]) {
    const written = await core.database.drizzle.select().from(table).where(eq(table.actor, actor)).orderBy(table.id);
    expect(written).toMatchObject(expected);
  }
});

test("nobody but operators suspends, nobody suspends themselves, and nobody who is none", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  const { ctx, userId: operatorId } = await operator(core, "op@example.com");
  for (const actor of [{ type: "anonymous" }, { type: "user", userId, role: "owner" }] as const) {
    for (const act of [suspendUser, unsuspendUser]) {
      expect(await refusal(act(core.ctx.as(actor), { userId, reason }))).toMatchObject({ code: "FORBIDDEN" });
    }
    expect(await refusal(getUserId(core.ctx.as(actor), ana.email))).toMatchObject({ code: "FORBIDDEN" });
  }
  expect(await refusal(suspendUser(ctx, { userId: operatorId, reason }))).toMatchObject({ code: "CONFLICT" });
  for (const act of [suspendUser, unsuspendUser]) {
    expect(await refusal(act(ctx, { userId: core.ctx.ids.next(), reason }))).toMatchObject({ code: "NOT_FOUND" });
  }
  expect(await getUserId(ctx, " Ana@Example.com ")).toBe(userId);
  expect(await refusal(getUserId(ctx, "nobody@example.com"))).toMatchObject({ code: "NOT_FOUND" });
});

test("the last operator stays, also when two suspend each other at once", async () => {
  await using core = await testCore();
  const [one, two] = [await operator(core, "one@example.com"), await operator(core, "two@example.com")];
  const outcomes = await Promise.allSettled([
    suspendUser(one.ctx, { userId: two.userId, reason }),
    suspendUser(two.ctx, { userId: one.userId, reason }),
  ]);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(outcomes.filter(({ status }) => status === "rejected")).toMatchObject([{ reason: { code: "CONFLICT" } }]);
  const atWork = outcomes[0].status === "fulfilled" ? one : two;
  expect(await refusal(suspendUser(core.ctx, { userId: atWork.userId, reason }))).toMatchObject({ code: "CONFLICT" });
});
