import { auditEntries, events, invitations, invitationTokens, notifications } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { updateOrganization } from "../accounts/index.ts";
import { addMs, dayMs } from "../clock.ts";
import { type Mail, sendNotification } from "../notifications/index.ts";
import { testCore } from "../testing/test-core.ts";
import {
  acceptInvitation,
  changeMemberRole,
  createInvitation,
  declineInvitation,
  deleteInvitationTokens,
  getInvitation,
  listInvitations,
  listOrganizations,
  maxPendingInvitations,
  mintInvitationLink,
  removeMember,
  revokeInvitation,
} from "./index.ts";
import { givenPerson, givenTeam, invite, readLink, rolesIn } from "../testing/given-team.ts";
import { refusal } from "../testing/refusal.ts";

test("B40 who is invited by mail becomes a member with the address that was invited, and nothing that is stored opens it", async () => {
  await using core = await testCore();
  const { owner, organizationId } = await givenTeam(core);
  await updateOrganization(owner, { name: "evil.example/pay" });
  const person = await givenPerson(core);
  const key = { email: `  ${person.email.toUpperCase()} `, role: "developer", idempotencyKey: "invite-1-key" } as const;
  const invitation = await createInvitation(owner, key);
  expect(invitation).toMatchObject({ email: person.email, status: "pending", role: "developer" });
  expect(await createInvitation(owner, key)).toEqual(invitation);

  const [mail] = await core.database.drizzle.select().from(notifications);
  expect(mail).toMatchObject({ kind: "invitation", email: person.email, userId: null, locale: "en" });
  const sent: Mail[] = [];
  const linkFor = () => mintInvitationLink(core.ctx, invitation.id);
  const mailer = { send: async (out: Mail) => void sent.push(out) };
  expect(await sendNotification(core.ctx, mail!.id, { mailer, linkFor })).toBe("sent");
  expect(sent).toMatchObject([{ to: person.email, subject: "You are invited to join evil. example/ pay" }]);
  const token = /token=(sewa_i_[\w-]{43})/.exec(sent[0]!.text)?.[1] ?? "";
  const db = core.database.drizzle;
  const stored = JSON.stringify([
    await db.select().from(invitations),
    await db.select().from(invitationTokens),
    await db.select().from(notifications),
    await db.select().from(events),
    await db.select().from(auditEntries),
  ]);
  expect(stored).not.toContain(token);
  const [hash] = await db.select({ id: invitationTokens.id }).from(invitationTokens);
  expect(await refusal(acceptInvitation(person.home, { token: `sewa_i_${hash!.id}` }))).toMatchObject({
    code: "TOKEN_INVALID",
  });

  expect(await getInvitation(core.ctx.as({ type: "anonymous" }), { token })).toMatchObject({ email: person.email });
  const other = await givenPerson(core);
  expect(await refusal(acceptInvitation(other.home, { token }))).toMatchObject({ code: "WRONG_ACCOUNT" });
  expect(await acceptInvitation(person.home, { token })).toMatchObject({
    organization: { id: organizationId },
    role: "developer",
  });
  expect(await rolesIn(core, organizationId)).toMatchObject({ [person.userId]: "developer" });
  const mine = await listOrganizations(person.home, {});
  expect(mine.items.map(({ role }) => role).toSorted()).toEqual(["developer", "owner"]);
});

test("B40 the same invitation accepted many times at once makes one member, and each gets the same answer", async () => {
  await using core = await testCore();
  const { owner, organizationId } = await givenTeam(core);
  const person = await givenPerson(core);
  const { token } = await invite(core, owner, person.email, "billing");
  const answers = await Promise.all([1, 2, 3, 4].map(() => acceptInvitation(person.home, { token })));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(Object.keys(await rolesIn(core, organizationId))).toHaveLength(2);
  expect(core.observed.filter((type) => type === "member.joined")).toHaveLength(1);
});

test("accepting and taking back at once end in one of both, never in a member by a revoked invitation", async () => {
  await using core = await testCore();
  for (let round = 0; round < 5; round += 1) {
    const { owner, organizationId } = await givenTeam(core);
    const person = await givenPerson(core);
    const { token, invitationId } = await invite(core, owner, person.email);
    const [accepted] = await Promise.allSettled([
      acceptInvitation(person.home, { token }),
      revokeInvitation(owner, invitationId),
    ]);
    const isMember = person.userId in (await rolesIn(core, organizationId));
    expect(isMember).toBe(accepted.status === "fulfilled");
    const { items } = await listInvitations(owner, {});
    expect(items[0]?.status).toBe(isMember ? "accepted" : "revoked");
  }
});

test.each([
  ["taken back", "revoked"],
  ["declined", "declined"],
  ["too old", "expired"],
  ["accepted by somebody who was removed since", "accepted"],
] as const)("an invitation that was %s opens nothing", async (_, status) => {
  await using core = await testCore();
  const { owner, organizationId } = await givenTeam(core);
  const person = await givenPerson(core);
  const { token, invitationId } = await invite(core, owner, person.email);
  if (status === "revoked") await revokeInvitation(owner, invitationId);
  if (status === "declined") await declineInvitation(person.home, { token });
  if (status === "expired") core.clock.set(addMs(core.clock.now(), 7 * dayMs));
  if (status === "accepted") {
    await acceptInvitation(person.home, { token });
    await removeMember(owner, { userId: person.userId, idempotencyKey: "remove-person" });
  }
  expect(await listInvitations(owner, {})).toMatchObject({ items: [{ status }] });
  expect(await refusal(getInvitation(core.ctx, { token }))).toMatchObject({ code: "TOKEN_INVALID" });
  expect(await refusal(acceptInvitation(person.home, { token }))).toMatchObject({ code: "TOKEN_INVALID" });
  expect(person.userId in (await rolesIn(core, organizationId))).toBe(false);
  expect(await mintInvitationLink(core.ctx, invitationId)).toBeNull();
});

test("each mail's link works, also that of a first try that was sent twice; the clean-up forgets them when their time is over", async () => {
  await using core = await testCore();
  const { owner } = await givenTeam(core);
  const person = await givenPerson(core);
  const { token: first, invitationId } = await invite(core, owner, person.email);
  const second = await readLink(core, invitationId);
  expect(second).not.toBe(first);
  expect(await deleteInvitationTokens(core.ctx)).toBe(0);
  for (const token of [first, second])
    expect(await getInvitation(core.ctx, { token })).toMatchObject({ status: "pending" });
  core.clock.set(addMs(core.clock.now(), 7 * dayMs));
  expect(await deleteInvitationTokens(core.ctx)).toBe(2);
});

test("a member and who is invited already are not invited again; one that ran out makes room", async () => {
  await using core = await testCore();
  const { owner, member } = await givenTeam(core, "viewer");
  const again = (email: string) =>
    createInvitation(owner, { email, role: "viewer", idempotencyKey: core.ctx.ids.next() });
  expect(await refusal(again(member.viewer.email))).toMatchObject({ code: "CONFLICT", issues: [{ path: "email" }] });
  await again("new@example.com");
  expect(await refusal(again("NEW@example.com"))).toMatchObject({ code: "CONFLICT", issues: [{ path: "email" }] });
  const atOnce = await Promise.allSettled([again("two@example.com"), again("two@example.com")]);
  expect(atOnce.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  core.clock.set(addMs(core.clock.now(), 7 * dayMs));
  await again("new@example.com");
  const { items } = await listInvitations(owner, {});
  expect(items.map(({ email, status }) => `${email} ${status}`)).toEqual([
    "new@example.com pending",
    "two@example.com expired",
    "new@example.com expired",
  ]);
});

test("who may not invite does not, nobody invites above their own role, and what was sent ends with the right to send it", async () => {
  await using core = await testCore();
  const { owner, organizationId, member } = await givenTeam(core, "admin", "developer", "billing", "viewer");
  for (const role of ["developer", "billing", "viewer"] as const) {
    const attempt = createInvitation(member[role].ctx, {
      email: "x@example.com",
      role: "viewer",
      idempotencyKey: "invite-x",
    });
    expect(await refusal(attempt)).toMatchObject({ code: "FORBIDDEN" });
  }
  const { ctx: admin, userId } = member.admin;
  const above = createInvitation(admin, { email: "x@example.com", role: "owner", idempotencyKey: "invite-x" });
  expect(await refusal(above)).toMatchObject({ code: "FORBIDDEN" });
  const { invitationId } = await invite(core, owner, "boss@example.com", "owner");
  expect(await refusal(revokeInvitation(admin, invitationId))).toMatchObject({ code: "FORBIDDEN" });
  const person = await givenPerson(core);
  const { token } = await invite(core, admin, person.email, "admin");
  await changeMemberRole(owner, { userId, role: "viewer" });
  expect(await refusal(acceptInvitation(person.home, { token }))).toMatchObject({ code: "TOKEN_INVALID" });
  expect(person.userId in (await rolesIn(core, organizationId))).toBe(false);
});

test("an organization invites addresses of its own domains only, where it says so, and this holds for those that wait", async () => {
  await using core = await testCore();
  const { owner } = await givenTeam(core);
  const person = await givenPerson(core);
  const { token } = await invite(core, owner, person.email);
  await updateOrganization(owner, { settings: { allowedEmailDomains: ["Example.COM", "bücher.example"] } });
  const other = createInvitation(owner, { email: "a@example.org", role: "viewer", idempotencyKey: "invite-a" });
  expect(await refusal(other)).toMatchObject({ code: "INVALID_INPUT", issues: [{ path: "email" }] });
  await invite(core, owner, "a@bücher.example");
  expect(await refusal(acceptInvitation(person.home, { token }))).toMatchObject({ code: "INVALID_INPUT" });
});

test("so many invitations wait at once and no more", async () => {
  await using core = await testCore();
  const { owner } = await givenTeam(core);
  for (let count = 0; count < maxPendingInvitations; count += 1) {
    await createInvitation(owner, {
      email: `a${count}@example.com`,
      role: "viewer",
      idempotencyKey: `invite-number-${count}`,
    });
  }
  const attempt = createInvitation(owner, { email: "b@example.com", role: "viewer", idempotencyKey: "invite-b" });
  expect(await refusal(attempt)).toMatchObject({ code: "QUOTA_EXCEEDED" });
  const rows = await core.database.drizzle.select().from(invitations).where(eq(invitations.email, "b@example.com"));
  expect(rows).toEqual([]);
});

test("an invitation of another organization is as unknown as one that nobody has", async () => {
  await using core = await testCore();
  const [mine, theirs] = [await givenTeam(core), await givenTeam(core)];
  const { invitationId } = await invite(core, theirs.owner, "a@example.com");
  const answers = await Promise.all(
    [invitationId, core.ctx.ids.next()].map((id) => refusal(revokeInvitation(mine.owner, id))),
  );
  expect(answers.map(({ code, message }) => `${code} ${message}`)).toEqual(
    Array(2).fill("NOT_FOUND No such invitation."),
  );
});
