import { notifications, users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { addMs, hourMs } from "../clock.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { refusal } from "../testing/refusal.ts";
import {
  acceptOperatorInvite,
  authenticate,
  changePassword,
  inviteOperator,
  logIn,
  mintMailLink,
  remindOperators,
  requestPasswordReset,
  resetPassword,
} from "./index.ts";
import { ana, tokenOf, verifiedAna } from "./test-accounts.ts";

const email = "op@example.com";
const password = "operator horse";
const daily = { operatorPasswordMaxAgeHours: 24 };

async function givenOperator(core: TestCore): Promise<{ readonly userId: string }> {
  const { userId, url } = await inviteOperator(core.ctx.as({ type: "system", name: "cli" }), { email });
  await acceptOperatorInvite(core.ctx, { token: tokenOf(url), password });
  return { userId };
}

const pass = (core: TestCore, hours: number): void => core.clock.set(addMs(core.clock.now(), hours * hourMs));

const isExpired = async (core: TestCore, token: string): Promise<boolean | undefined> =>
  (await authenticate(core.ctx, token))?.hasExpiredPassword;

const notices = async ({ database }: TestCore) =>
  (await database.drizzle.select().from(notifications).where(eq(notifications.kind, "password_expiring"))).map(
    ({ data }) => data,
  );

test("an operator's password ends a day after it was set, log-in does not, and a new one begins a new day", async () => {
  await using core = await testCore(daily);
  const { userId } = await givenOperator(core);
  const early = await logIn(core.ctx, { email, password });
  pass(core, 11);
  expect(await isExpired(core, early.token)).toBe(false);
  pass(core, 13);
  const { token, session } = await logIn(core.ctx, { email, password });
  const other = await logIn(core.ctx, { email, password });
  expect(await isExpired(core, token)).toBe(true);
  const change = { userId, sessionId: session.id, currentPassword: password };
  const { actor } = (await authenticate(core.ctx, token))!;
  const same = changePassword(core.ctx.as(actor), { ...change, newPassword: password });
  expect(await refusal(same)).toMatchObject({ code: "INVALID_INPUT", issues: [{ path: "newPassword" }] });
  const renewed = await changePassword(core.ctx.as(actor), { ...change, newPassword: "another horse" });
  expect(await isExpired(core, renewed.token)).toBe(false);
  expect(await authenticate(core.ctx, other.token)).toBeNull();
  pass(core, 12);
  const later = await logIn(core.ctx, { email, password: "another horse" });
  expect(await isExpired(core, later.token)).toBe(false);
  pass(core, 11.999);
  expect(await isExpired(core, later.token)).toBe(false);
  pass(core, 0.001);
  expect(await authenticate(core.ctx, later.token)).toBeNull();
  const last = await logIn(core.ctx, { email, password: "another horse" });
  expect(await isExpired(core, last.token)).toBe(true);
});

test("neither a link by mail nor another invitation lets an operator keep the password", async () => {
  await using core = await testCore(daily);
  const { userId } = await givenOperator(core);
  pass(core, 24);
  await requestPasswordReset(core.ctx, { email });
  const link = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  const reset = (newPassword: string) => resetPassword(core.ctx, { token: link, newPassword });
  expect(await refusal(reset(password))).toMatchObject({ code: "INVALID_INPUT", issues: [{ path: "newPassword" }] });
  const { url } = await inviteOperator(core.ctx.as({ type: "system", name: "cli" }), { email });
  const again = acceptOperatorInvite(core.ctx, { token: tokenOf(url), password });
  expect(await refusal(again)).toMatchObject({ code: "INVALID_INPUT", issues: [{ path: "password" }] });
  // The link was not used up by what was refused.
  await reset("another horse");
  const { token } = await logIn(core.ctx, { email, password: "another horse" });
  expect(await isExpired(core, token)).toBe(false);
});

test("customers' passwords do not end, nor do operators' where the house has not said so", async () => {
  await using core = await testCore(daily);
  await verifiedAna(core);
  pass(core, 10_000);
  expect(await isExpired(core, (await logIn(core.ctx, ana)).token)).toBe(false);
  await using lenient = await testCore();
  await givenOperator(lenient);
  pass(lenient, 100_000);
  expect(await isExpired(lenient, (await logIn(lenient.ctx, { email, password })).token)).toBe(false);
  expect(await remindOperators(lenient.ctx)).toBe(0);
});

test("an operator is told in the last quarter of the time, once for each password, also when two tell at once", async () => {
  await using core = await testCore(daily);
  const { userId } = await givenOperator(core);
  const end = addMs(core.clock.now(), 24 * hourMs).toISOString();
  pass(core, 17.9);
  expect(await remindOperators(core.ctx)).toBe(0);
  pass(core, 0.1);
  const told = await Promise.all([remindOperators(core.ctx), remindOperators(core.ctx)]);
  expect(told).toContain(1);
  expect(told).toContain(0);
  pass(core, 1);
  expect(await remindOperators(core.ctx)).toBe(0);
  expect(await notices(core)).toEqual([{ expiresAt: end }]);
  const { session } = await logIn(core.ctx, { email, password });
  const change = { userId, sessionId: session.id, currentPassword: password, newPassword: "another horse" };
  await changePassword(core.ctx.as({ type: "user", userId, role: "owner" }), change);
  pass(core, 1);
  expect(await remindOperators(core.ctx)).toBe(0);
  pass(core, 18);
  expect(await remindOperators(core.ctx)).toBe(1);
  expect(await notices(core)).toHaveLength(2);
});

test("nobody is told of a password that has ended, nor who is kept out", async () => {
  await using core = await testCore(daily);
  const { userId } = await givenOperator(core);
  pass(core, 24);
  expect(await remindOperators(core.ctx)).toBe(0);
  core.clock.set(addMs(core.clock.now(), -hourMs));
  await core.database.drizzle.update(users).set({ suspendedAt: core.clock.now() }).where(eq(users.id, userId));
  expect(await remindOperators(core.ctx)).toBe(0);
  expect(await notices(core)).toEqual([]);
});
