import { auditEntries, members, users } from "@sewa/db/schema";
import { databaseErrorOf } from "@sewa/db";
import { and, eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { authenticate, logIn, mintMailLink, register, verifyEmail } from "../accounts/index.ts";
import { memberRoles } from "../roles.ts";
import { testCore } from "../testing/test-core.ts";
import {
  changeMemberRole,
  createOrganization,
  leaveOrganization,
  listInvitations,
  listMembers,
  listOrganizations,
  removeMember,
  transferOwnership,
} from "./index.ts";
import { givenTeam, invite, rolesIn } from "../testing/given-team.ts";
import { refusal } from "../testing/refusal.ts";

test("nobody gives a role above their own, or touches somebody above them", async () => {
  await using core = await testCore();
  const { owner, ownerId, organizationId, member } = await givenTeam(core, "admin", "developer", "billing", "viewer");
  const { ctx: admin } = member.admin;
  const viewer = member.viewer.userId;
  expect(await refusal(changeMemberRole(admin, { userId: viewer, role: "owner" }))).toMatchObject({
    code: "FORBIDDEN",
  });
  expect(await refusal(changeMemberRole(admin, { userId: ownerId, role: "viewer" }))).toMatchObject({
    code: "FORBIDDEN",
  });
  expect(await refusal(removeMember(admin, { userId: ownerId, idempotencyKey: "remove-1" }))).toMatchObject({
    code: "FORBIDDEN",
  });
  for (const role of ["developer", "billing", "viewer"] as const) {
    const change = changeMemberRole(member[role].ctx, { userId: viewer, role: "viewer" });
    expect(await refusal(change)).toMatchObject({ code: "FORBIDDEN" });
  }
  expect(await changeMemberRole(admin, { userId: viewer, role: "admin" })).toMatchObject({ role: "admin" });
  expect(await changeMemberRole(owner, { userId: viewer, role: "owner" })).toMatchObject({ role: "owner" });
  expect(await rolesIn(core, organizationId)).toMatchObject({ [ownerId]: "owner", [viewer]: "owner" });
});

test("what counts is the role of now, not the one with which the call was let in", async () => {
  await using core = await testCore();
  const { owner, organizationId, member } = await givenTeam(core, "admin", "viewer");
  await changeMemberRole(owner, { userId: member.admin.userId, role: "viewer" });
  const promote = changeMemberRole(member.admin.ctx, { userId: member.viewer.userId, role: "admin" });
  expect(await refusal(promote)).toMatchObject({ code: "FORBIDDEN" });
  await removeMember(owner, { userId: member.admin.userId, idempotencyKey: "remove-admin" });
  const remove = removeMember(member.admin.ctx, { userId: member.viewer.userId, idempotencyKey: "remove-viewer" });
  expect(await refusal(remove)).toMatchObject({ code: "FORBIDDEN" });
  expect(Object.values(await rolesIn(core, organizationId)).toSorted()).toEqual(["owner", "viewer"]);
});

test("B41 the last owner neither leaves, nor is removed, nor becomes less", async () => {
  await using core = await testCore();
  const { owner, ownerId, organizationId } = await givenTeam(core, "admin");
  for (const attempt of [
    () => leaveOrganization(owner),
    () => removeMember(owner, { userId: ownerId, idempotencyKey: "remove-me" }),
    () => changeMemberRole(owner, { userId: ownerId, role: "admin" }),
  ]) {
    expect(await refusal(attempt())).toMatchObject({ code: "LAST_OWNER" });
  }
  expect(await rolesIn(core, organizationId)).toMatchObject({ [ownerId]: "owner" });
});

test("of two owners who leave at once, one stays", async () => {
  await using core = await testCore();
  for (let round = 0; round < 5; round += 1) {
    const { owner, organizationId, member } = await givenTeam(core, "owner");
    const outcomes = await Promise.allSettled([leaveOrganization(owner), leaveOrganization(member.owner.ctx)]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "LAST_OWNER" } });
    expect(Object.values(await rolesIn(core, organizationId))).toEqual(["owner"]);
  }
});

test("the database keeps an owner as well, also where two write past the verbs at once", async () => {
  await using core = await testCore();
  const { ownerId, organizationId, member } = await givenTeam(core, "owner", "admin");
  const row = (userId: string) => and(eq(members.organizationId, organizationId), eq(members.userId, userId));
  const drop = (userId: string) => core.database.drizzle.transaction((tx) => tx.delete(members).where(row(userId)));
  const demote = (userId: string) =>
    core.database.drizzle.transaction((tx) => tx.update(members).set({ role: "viewer" }).where(row(userId)));
  const outcomes = await Promise.allSettled([drop(ownerId), demote(member.owner.userId)]);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const [refused] = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  expect(databaseErrorOf(refused)).toMatchObject({ code: "23000" });
  expect(Object.values(await rolesIn(core, organizationId)).filter((role) => role === "owner")).toHaveLength(1);
  // Handed over in one transaction, it passes.
  const [last] = Object.entries(await rolesIn(core, organizationId)).find(([, role]) => role === "owner") ?? [];
  await core.database.drizzle.transaction(async (tx) => {
    await tx.update(members).set({ role: "admin" }).where(row(last!));
    await tx.update(members).set({ role: "owner" }).where(row(member.admin.userId));
  });
  expect(await rolesIn(core, organizationId)).toMatchObject({ [member.admin.userId]: "owner" });
});

test("ownership is handed over to a member, once", async () => {
  await using core = await testCore();
  const { owner, ownerId, organizationId, member } = await givenTeam(core, "viewer", "admin");
  const { userId } = member.viewer;
  expect(await refusal(transferOwnership(owner, { userId: ownerId }))).toMatchObject({ code: "CONFLICT" });
  expect(await refusal(transferOwnership(owner, { userId: core.ctx.ids.next() }))).toMatchObject({ code: "NOT_FOUND" });
  expect(await refusal(transferOwnership(member.admin.ctx, { userId }))).toMatchObject({ code: "FORBIDDEN" });
  expect(await transferOwnership(owner, { userId })).toMatchObject({ userId, role: "owner" });
  expect(await rolesIn(core, organizationId)).toMatchObject({ [ownerId]: "admin", [userId]: "owner" });
  expect(await refusal(transferOwnership(owner, { userId }))).toMatchObject({ code: "FORBIDDEN" });
});

test("who is removed loses the invitations that they sent, and it is written down before and after", async () => {
  await using core = await testCore();
  const { owner, organizationId, member } = await givenTeam(core, "admin");
  const { userId, ctx: admin } = member.admin;
  await invite(core, admin, "accomplice@example.com");
  const key = { userId, idempotencyKey: "remove-admin" };
  const removed = await removeMember(owner, key);
  expect(removed).toMatchObject({ userId, role: "admin" });
  expect(await removeMember(owner, key)).toEqual(removed);
  expect(await listInvitations(owner, {})).toMatchObject({
    items: [{ email: "accomplice@example.com", status: "revoked" }],
  });
  const audit = await core.database.drizzle
    .select()
    .from(auditEntries)
    .where(eq(auditEntries.organizationId, organizationId));
  expect(audit.map(({ action }) => action).toSorted()).toEqual([
    "invitation.created",
    "invitation.revoked",
    "member.removed",
  ]);
  expect(audit.find(({ action }) => action === "member.removed")).toMatchObject({
    subjectId: userId,
    before: { role: "admin" },
    after: { role: null },
  });
});

test("a list of members goes on where it stopped, and names nobody of another organization", async () => {
  await using core = await testCore();
  const { owner, organizationId } = await givenTeam(core, ...memberRoles);
  await givenTeam(core, "admin");
  const first = await listMembers(owner, { limit: 4 });
  const second = await listMembers(owner, { limit: 4, cursor: first.nextCursor ?? undefined });
  const all = [...first.items, ...second.items];
  expect(second.nextCursor).toBeNull();
  expect(Object.fromEntries(all.map(({ userId, role }) => [userId, role]))).toEqual(
    await rolesIn(core, organizationId),
  );
});

test("who is removed from their only organization gets a new one of their own with the next call, and only one", async () => {
  await using core = await testCore();
  const ana = { email: "ana@example.com", password: "correct horse", name: "Ana" };
  await register(core.ctx, ana);
  const [{ id: userId } = { id: "" }] = await core.database.drizzle.select({ id: users.id }).from(users);
  const link = await mintMailLink(core.ctx, { kind: "verify_email", userId });
  await verifyEmail(core.ctx, { token: new URL(link).searchParams.get("token") ?? "" });
  const { token } = await logIn(core.ctx, ana);
  const home = (await authenticate(core.ctx, token))!.organizationId;
  const { owner } = await givenTeam(core);
  const newcomer = owner.actor.type === "user" ? owner.actor.userId : "";
  await core.database.drizzle.insert(members).values({ organizationId: home, userId: newcomer, role: "owner" });
  await removeMember(owner.forOrganization(home), { userId, idempotencyKey: "remove-ana" });
  const found = await Promise.all([1, 2, 3].map(() => authenticate(core.ctx, token)));
  const [first] = found;
  expect(first).toMatchObject({ role: "owner", user: { id: userId } });
  expect(first!.organizationId).not.toBe(home);
  expect(new Set(found.map((each) => each?.organizationId)).size).toBe(1);
  expect(await refusal(authenticate(core.ctx, token, home))).toMatchObject({ code: "NOT_FOUND" });
});

test("a user makes organizations: each key one, and no more than the limit, also at once", async () => {
  await using core = await testCore();
  const { owner } = await givenTeam(core);
  const make = (key: string, name = "Second") => createOrganization(owner, { name, idempotencyKey: key });
  const made = await make("organization-1");
  expect(made).toMatchObject({ role: "owner", organization: { name: "Second", slug: expect.stringMatching(/^org-/) } });
  expect(await make("organization-1")).toEqual(made);
  expect(await refusal(make("organization-1", "Another"))).toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => make(`at-once-${at}-key`)));
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(8);
  expect(await refusal(make("one-too-many"))).toMatchObject({ code: "QUOTA_EXCEEDED" });
  const { items } = await listOrganizations(owner, {});
  expect(items.map(({ role }) => role)).toEqual(Array(10).fill("owner"));
});

test("of two who want the same slug at once, one gets it", async () => {
  await using core = await testCore();
  const [one, two] = [(await givenTeam(core)).owner, (await givenTeam(core)).owner];
  const outcomes = await Promise.allSettled(
    [one, two].map((ctx) => createOrganization(ctx, { name: "Shop", slug: "the-shop", idempotencyKey: "same-slug" })),
  );
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "CONFLICT", issues: [{ path: "slug" }] },
  });
});
