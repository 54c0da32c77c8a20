import {
  invitations,
  members,
  notifications,
  operatorAuditEntries,
  organizations,
  subscriptions,
  users,
} from "@sewa/db/schema";
import { and, eq, isNull, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { acceptOperatorInvite, authenticate, inviteOperator, register } from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { deleteExpiredRecords } from "../idempotency/index.ts";
import { createOrganization, transferOwnership, acceptInvitation } from "../organizations/index.ts";
import { quoteOrder, placeOrder } from "../orders/index.ts";
import { notifyOwner, sendNotification } from "../notifications/index.ts";
import { cancelAtPeriodEnd, cancelNow, reconcileSubscription, undoCancel } from "../subscriptions/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { planIdOf } from "../testing/given-coupons.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { authenticateToken } from "../tokens/index.ts";
import { adjustWallet } from "../wallet/index.ts";
import { deleteAccount, erasePerson, previewDeletion, sweepDeletions } from "./index.ts";
import { givenPerson, givenTeam, invite, rolesIn } from "../testing/given-team.ts";
import { givenPersonWithLife, type Person, personal, tablesWith, tokenOf } from "./test-person.ts";

interface Refused {
  readonly code: string;
  readonly obstacles: readonly string[];
}

const outcomeOf = (promise: Promise<unknown>): Promise<Refused> =>
  promise.then(
    () => ({ code: "none", obstacles: [] }),
    (error: unknown) => {
      if (!(error instanceof DomainError)) throw error;
      return { code: error.code, obstacles: error.issues.map(({ path }) => path) };
    },
  );

const emailOf = (userId: string): string => `${userId}@customer.test`;

const go = (ctx: CoreContext, userId: string, confirmEmail = emailOf(userId)) =>
  deleteAccount(ctx, { userId, confirmEmail });

const cancel = (person: Pick<Person, "ctx" | "subscriptionId">, confirmName: string) =>
  cancelNow(person.ctx, { subscriptionId: person.subscriptionId, confirmName, idempotencyKey: person.ctx.ids.next() });

async function ownerless(core: TestCore): Promise<number> {
  const [row] = await core.database.drizzle.execute<{ count: number }>(
    `select count(*)::int as count from organizations o
      where not exists (select 1 from members m where m.organization_id = o.id and m.role = 'owner')`,
  );
  return row?.count ?? 0;
}

test("nothing personal is left of who deleted their account but what the law and the other promises keep, and their address is free", async () => {
  await using core = await testCore();
  const person = await givenPersonWithLife(core);
  await cancel(person, "Diary");
  await reconcileSubscription(core.ctx.forOrganization(person.organizationId), person.subscriptionId);
  await deleteAccount(person.ctx, { userId: person.userId, confirmEmail: personal.email });
  expect(await sweepDeletions(core.ctx)).toBe(0);
  expect(await erasePerson(core.ctx, person.userId)).not.toBeNull();
  expect(await erasePerson(core.ctx, person.userId)).toBeNull();
  // What calls of the team were answered is kept for two days.
  expect(await tablesWith(core, personal.email)).toEqual(["public.idempotency_records", "public.invoices"]);
  core.clock.set(new Date("2026-03-04T04:00:00Z"));
  await deleteExpiredRecords(core.ctx);
  // Frozen on invoices.
  expect(await tablesWith(core, personal.email)).toEqual(["public.invoices"]);
  expect(await tablesWith(core, personal.name)).toEqual(["public.invoices"]);
  for (const text of [personal.address, personal.userAgent, personal.subject])
    expect([text, await tablesWith(core, text)]).toEqual([text, []]);
  expect(await tablesWith(core, personal.taxId)).toEqual(["public.invoices"]);

  expect(await authenticate(core.ctx, person.sessionToken)).toBeNull();
  const shown = { token: person.apiToken, address: null, organizationId: null };
  expect(await outcomeOf(authenticateToken(core.ctx, shown))).toMatchObject({ code: "UNAUTHORIZED" });
  expect(await rolesIn(core, person.teamId)).not.toHaveProperty(person.userId);
  const pending = await core.database.drizzle.select().from(invitations).where(eq(invitations.status, "pending"));
  expect(pending).toEqual([]);
  await register(core.ctx, { email: personal.email, name: personal.name, password: "correct horse battery" });
  const again = await core.database.drizzle.select().from(users).where(eq(users.email, personal.email));
  expect(again).toHaveLength(1);
  expect(again[0]?.id).not.toBe(person.userId);
  expect(await ownerless(core)).toBe(0);
});

test("an app that runs, an open invoice, money in the wallet and other members without an owner stand in the way, each by its name, and nothing has happened", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx, userId, organizationId } = await givenCustomer(core.ctx);
  const dear = await givenOrder(ctx, { plan: "small", name: "Dear" });
  const obstacles = ["LIVE_APPS", "UNPAID_INVOICES"];
  expect(await outcomeOf(go(ctx, userId))).toEqual({ code: "DELETION_BLOCKED", obstacles });
  expect(await previewDeletion(ctx, userId)).toMatchObject({
    obstacles: [],
    organizations: [{ organizationId, becomes: "closed", obstacles, endingApps: 0 }],
  });
  await cancel({ ctx, subscriptionId: dear.subscription.subscription.id }, "Dear");
  const house = core.ctx.forOrganization(organizationId);
  const gift = { amountMinor: 5_000n, currency: "IDR", reason: "A gift.", idempotencyKey: "gift-for-you" };
  await adjustWallet(house, gift);
  expect(await outcomeOf(go(ctx, userId))).toEqual({ code: "DELETION_BLOCKED", obstacles: ["WALLET_BALANCE"] });
  await adjustWallet(house, { ...gift, amountMinor: -5_000n, reason: "Paid back.", idempotencyKey: "paid-back-1" });
  const { owner, ownerId, member } = await givenTeam(core, "viewer");
  expect(await outcomeOf(go(owner, ownerId))).toEqual({ code: "DELETION_BLOCKED", obstacles: ["SOLE_OWNER"] });
  expect(await core.database.drizzle.$count(users, eq(users.name, "Deleted user"))).toBe(0);
  await transferOwnership(owner, { userId: member.viewer.userId });
  await go(owner, ownerId);
  await go(ctx, userId);
  expect(await ownerless(core)).toBe(0);
});

test("what ends by itself lets go: its paid time and its grace pass, nothing is asked for and nobody is written to", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx, userId, organizationId } = await givenCustomer(core.ctx);
  const { subscription } = await givenOrder(ctx);
  const { id: subscriptionId } = subscription.subscription;
  await provisionOnce(core.ctx, subscription.instanceId);
  await cancelAtPeriodEnd(ctx, { subscriptionId, idempotencyKey: "end-of-it" });
  expect(await previewDeletion(ctx, userId)).toMatchObject({ organizations: [{ obstacles: [], endingApps: 1 }] });
  await go(ctx, userId);
  expect(await outcomeOf(undoCancel(ctx, { subscriptionId, idempotencyKey: "undo-this" }))).toMatchObject({
    code: "NOT_FOUND",
  });
  const house = core.ctx.forOrganization(organizationId);
  for (const month of ["2026-04-03", "2026-05-20", "2026-07-20"]) {
    core.clock.set(new Date(`${month}T03:00:00Z`));
    await reconcileSubscription(house, subscriptionId);
    await provisionOnce(core.ctx, subscription.instanceId);
  }
  const [row] = await core.database.drizzle.execute<{ status: string }>(`select status from subscriptions`);
  expect(row?.status).toBe("cancelled");
  await house.transaction((tx) =>
    notifyOwner(tx, { kind: "app_deleted", data: { appName: "Diary" }, dedupeKey: "app_deleted:x" }),
  );
  const mails = await core.database.drizzle.select().from(notifications).where(eq(notifications.userId, userId));
  expect(mails.length).toBeGreaterThan(0);
  const sent: unknown[] = [];
  for (const { id } of mails) {
    const mailer = { send: (mail: unknown) => Promise.resolve(void sent.push(mail)) };
    await sendNotification(core.ctx, id, { mailer, linkFor: () => Promise.resolve(null) });
  }
  expect(sent).toEqual([]);
});

test("only the user themselves, who types their address, and operators delete; who is gone stays gone", async () => {
  await using core = await testCore();
  const [one, two] = [await givenCustomer(core.ctx), await givenCustomer(core.ctx)];
  expect(await outcomeOf(go(one.ctx, two.userId))).toMatchObject({ code: "FORBIDDEN" });
  expect(await outcomeOf(previewDeletion(one.ctx, two.userId))).toMatchObject({ code: "FORBIDDEN" });
  expect(await outcomeOf(go(one.ctx, one.userId, emailOf(two.userId)))).toEqual({
    code: "NAME_MISMATCH",
    obstacles: ["confirmEmail"],
  });
  expect(await outcomeOf(deleteAccount(one.ctx, { userId: one.userId }))).toMatchObject({ code: "NAME_MISMATCH" });
  expect(await outcomeOf(deleteAccount(core.ctx, { userId: core.ctx.ids.next(), reason: "x" }))).toMatchObject({
    code: "NOT_FOUND",
  });
  expect(await outcomeOf(previewDeletion(core.ctx, core.ctx.ids.next()))).toMatchObject({ code: "NOT_FOUND" });
  const operator = core.ctx.as({ type: "operator", userId: two.userId });
  const deleted = await deleteAccount(operator, { userId: one.userId, reason: "They wrote to us." });
  core.clock.set(new Date("2026-03-09T03:00:00Z"));
  expect(await deleteAccount(operator, { userId: one.userId, reason: "Once more." })).toEqual(deleted);
  const both = await Promise.all([go(two.ctx, two.userId), go(two.ctx, two.userId)]);
  expect(both[0]).toEqual(both[1]);
  const written = await core.database.drizzle
    .select()
    .from(operatorAuditEntries)
    .where(eq(operatorAuditEntries.action, "user.deleted"));
  expect(written).toMatchObject([
    { subjectId: one.userId, actor: `operator:${two.userId}`, reason: "They wrote to us." },
    { subjectId: two.userId, actor: `user:${two.userId}`, reason: null },
  ]);
  for (const undo of [
    `update users set deleted_at = null`,
    `update users set password_hash = 'x'`,
    `update organizations set closed_at = null`,
  ])
    await expect(
      core.database.drizzle.execute(`${undo} where ${undo.includes("users") ? "deleted_at" : "closed_at"} is not null`),
    ).rejects.toThrow("Failed query");
});

test("the last operator is not deleted, also when two delete themselves at once", async () => {
  await using core = await testCore();
  const make = async (email: string) => {
    const { userId, url } = await inviteOperator(core.ctx, { email });
    await acceptOperatorInvite(core.ctx, { token: tokenOf(url), password: "operate the house" });
    return { userId, email };
  };
  const both = [await make("one@example.com"), await make("two@example.com")];
  const outcomes = await Promise.all(
    both.map(({ userId, email }) => outcomeOf(go(core.ctx.as(userActor(userId, "owner")), userId, email))),
  );
  expect(outcomes.map(({ code }) => code).toSorted()).toEqual(["DELETION_BLOCKED", "none"]);
  expect(outcomes.flatMap(({ obstacles }) => obstacles)).toEqual(["LAST_OPERATOR"]);
});

interface Rival {
  readonly core: TestCore;
  readonly person: Awaited<ReturnType<typeof givenPerson>>;
  readonly team: Awaited<ReturnType<typeof givenTeam>>;
  readonly round: number;
}

/** What may happen at the moment in which an account is deleted: prepared first, done then. */
const rivals: Readonly<Record<string, (rival: Rival) => Promise<() => Promise<unknown>>>> = {
  "being made an owner": async ({ core, person, team: { owner, organizationId } }) => {
    await core.database.drizzle.insert(members).values({ organizationId, userId: person.userId, role: "admin" });
    return () => transferOwnership(owner, { userId: person.userId });
  },
  "joining an organization": async ({ core, person, team: { owner } }) => {
    const { token } = await invite(core, owner, person.email);
    return () => acceptInvitation(person.home, { token });
  },
  "placing an order": async ({ person, round }) => {
    const wish = { planId: await planIdOf(person.home, "free"), parameters: {} };
    const { priceKey } = await quoteOrder(person.home, wish);
    return () => placeOrder(person.home, { ...wish, priceKey, name: "Late", idempotencyKey: `late-order-${round}` });
  },
  "beginning an organization":
    async ({ person, round }) =>
    () =>
      createOrganization(person.home, { name: "New", idempotencyKey: `late-beginning-${round}` }),
};

/** Of living organizations; what was closed keeps its row of who is gone. */
async function openMemberships(core: TestCore, userId: string): Promise<number> {
  const rows = await core.database.drizzle
    .select({ id: organizations.id })
    .from(members)
    .innerJoin(organizations, eq(organizations.id, members.organizationId))
    .where(and(eq(members.userId, userId), isNull(organizations.closedAt)));
  return rows.length;
}

test.each(Object.entries(rivals))(
  "of %s and a deletion at the same moment nobody who is gone is left with anything, and no organization without an owner",
  async (_, prepare) => {
    await using core = await testCore();
    await givenCatalog(core.ctx);
    await givenMachines(core.ctx);
    const prepared = async (round: number) => {
      const [person, team] = [await givenPerson(core), await givenTeam(core)];
      return { person, act: await prepare({ core, person, team, round }) };
    };
    for (let round = 1; round <= 8; round += 1) {
      const { person, act } = await prepared(round);
      const [deleted, acted] = await Promise.all([outcomeOf(go(person.home, person.userId)), outcomeOf(act())]);
      expect(["none", "DELETION_BLOCKED"]).toContain(deleted.code);
      expect(["none", "UNAUTHORIZED", "NOT_FOUND", "TOKEN_INVALID", "WRONG_ACCOUNT"]).toContain(acted.code);
      const left = await openMemberships(core, person.userId);
      // Gone with nothing left, or held back by what was done.
      expect(deleted.code === "none" ? left === 0 : acted.code === "none").toBe(true);
      expect(await ownerless(core)).toBe(0);
    }
    const { person, act } = await prepared(0);
    await go(person.home, person.userId);
    expect(["UNAUTHORIZED", "NOT_FOUND", "TOKEN_INVALID", "WRONG_ACCOUNT"]).toContain((await outcomeOf(act())).code);
    expect(await openMemberships(core, person.userId)).toBe(0);
    const live = await core.database.drizzle.$count(
      subscriptions,
      sql`exists (select 1 from organizations o where o.id = organization_id and o.closed_at is not null)`,
    );
    expect(live).toBe(0);
  },
);

test("the database itself lets nobody who is deleted become a member or log in", async () => {
  await using core = await testCore();
  const [{ ctx, userId }, { organizationId }] = [await givenCustomer(core.ctx), await givenTeam(core)];
  await go(ctx, userId);
  const end = "now() + interval '1 hour'";
  for (const statement of [
    `insert into members (organization_id, user_id, role) values ('${organizationId}', '${userId}', 'viewer')`,
    `update members set role = 'admin' where user_id = '${userId}'`,
    `insert into sessions (id, user_id, expires_at, absolute_expires_at) values ('x', '${userId}', ${end}, ${end})`,
  ])
    await expect(core.database.drizzle.execute(statement)).rejects.toMatchObject({
      cause: { constraint_name: "users_living" },
    });
});
