import { mintInvitationLink } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createClient,
  createSocketClient,
  type Customer,
  orderFree,
  startTestHouse,
  type TestHouse,
  tokenIn,
  until,
} from "./test-house.ts";
import { followEvents } from "./test-stream.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ limits: { slowTimerMs: 60_000 } });
});
afterAll(() => house[Symbol.asyncDispose]());

type Role = Parameters<Customer["api"]["organizations"]["members"]["changeRole"]["mutate"]>[0]["role"];

/** By mail and link, as people do it. */
async function join(owner: Customer, person: Customer, role: Role): Promise<string> {
  const { organization } = await owner.api.auth.me.query();
  const { id } = await owner.api.organizations.invitations.create.mutate({
    email: person.email,
    role,
    idempotencyKey: `invite-${person.email.replace(/\W/g, "-")}`,
  });
  const [row] = await house.sql(`select id from invitations where email = '${person.email}' and status = 'pending'`);
  const link = await mintInvitationLink(house.core, String(row?.["id"]));
  const preview = await createClient(house.url, null).organizations.invitations.get.query({
    token: tokenIn(link ?? ""),
  });
  expect(preview).toMatchObject({ email: person.email, organizationName: organization.name, role });
  await person.api.organizations.invitations.accept.mutate({ token: tokenIn(link ?? "") });
  expect(id).toMatch(/^ivt_/);
  return organization.id;
}

test("a member speaks for the organization that a call names, and for their own where it names none", async () => {
  const [owner, person] = [await house.customer("Olga"), await house.customer("Mia")];
  const organizationId = await join(owner, person, "viewer");
  const { items } = await person.api.organizations.list.query({});
  expect(items.map(({ organization, role }) => [organization.name, role])).toEqual([
    ["Olga", "viewer"],
    ["Mia", "owner"],
  ]);
  expect(await person.api.auth.me.query()).toMatchObject({ organization: { name: "Mia" }, role: "owner" });
  const there = createClient(house.url, person.token, organizationId);
  expect(await there.auth.me.query()).toMatchObject({ organization: { name: "Olga" }, role: "viewer" });
  expect(await there.organizations.members.list.query({})).toMatchObject({
    items: [{ name: "Olga" }, { name: "Mia" }],
  });
  await expect(there.organizations.update.mutate({ name: "Mine" })).rejects.toMatchObject({
    data: { appCode: "FORBIDDEN" },
  });
  await using socket = createSocketClient(house.url, { token: person.token, organization: organizationId });
  expect(await socket.api.auth.me.query()).toMatchObject({ organization: { name: "Olga" }, role: "viewer" });
  const { ticket } = await person.api.auth.socketTicket.mutate();
  await using byTicket = createSocketClient(house.url, { ticket, organization: organizationId });
  expect(await byTicket.api.auth.me.query()).toMatchObject({ organization: { name: "Olga" } });
});

test("the organization of strangers, one that nobody has and what is no id are the same to who is no member", async () => {
  const [owner, person] = [await house.customer(), await house.customer()];
  const { organization } = await owner.api.auth.me.query();
  const answers = await Promise.all(
    [organization.id, "org_00000000000000000000000001", "org_1", "' or 1=1", "a, b"].map((id) =>
      createClient(house.url, person.token, id)
        .auth.me.query()
        .then(
          () => "let in",
          (error: { message: string; data: object }) => ({ ...error.data, requestId: null, message: error.message }),
        ),
    ),
  );
  expect(answers[0]).toMatchObject({ appCode: "NOT_FOUND", message: "No such organization." });
  for (const answer of answers) expect(answer).toEqual(answers[0]);
});

test.each(["removed", "made less", "gone"] as const)(
  "a member who is %s loses what their open sockets may within five seconds, and their streams end",
  async (how) => {
    const [owner, person] = [await house.customer("Olga"), await house.customer("Mia")];
    const organizationId = await join(owner, person, "admin");
    const { user } = await person.api.auth.me.query();
    await using there = await followEvents(house.url, { token: person.token, organization: organizationId });
    await using home = await followEvents(house.url, { token: person.token });
    if (how === "removed") {
      const key = { userId: user.id, idempotencyKey: `remove-${user.id}` };
      await owner.api.organizations.members.remove.mutate(key);
    } else if (how === "made less") {
      await owner.api.organizations.members.changeRole.mutate({ userId: user.id, role: "billing" });
    } else {
      await createClient(house.url, person.token, organizationId).organizations.leave.mutate();
    }
    const end = await until("the socket is closed", () => there.end.value, 5_000);
    expect(end).toEqual({ code: 1008, reason: "rights changed" });
    const before = there.seen.length;
    await orderFree(owner.api, `order-after-${user.id}`);
    expect(there.seen.length).toBe(before);
    expect(home.end.value).toBeNull();
  },
);

test("who is removed from their home goes on in no other organization on an open socket", async () => {
  const [founder, second] = [await house.customer("Founder"), await house.customer("Second")];
  const home = await join(founder, second, "owner");
  const { user } = await founder.api.auth.me.query();
  await join(second, founder, "viewer");
  await using socket = createSocketClient(house.url, { token: founder.token });
  expect(await socket.api.auth.me.query()).toMatchObject({ organization: { id: home } });
  await using raw = await followEvents(house.url, { token: founder.token });
  const there = createClient(house.url, second.token, home);
  await there.organizations.members.remove.mutate({ userId: user.id, idempotencyKey: "remove-founder" });
  expect(await until("the socket is closed", () => raw.end.value, 5_000)).toMatchObject({ reason: "rights changed" });
  // The next connection speaks for what they belong to now.
  const me = await founder.api.auth.me.query();
  expect(me).toMatchObject({ organization: { name: "Second" }, role: "viewer" });
});

test("a log-out ends the sockets of a session also where they speak for another organization", async () => {
  const [owner, person] = [await house.customer(), await house.customer()];
  const organizationId = await join(owner, person, "viewer");
  await using there = await followEvents(house.url, { token: person.token, organization: organizationId });
  await person.api.auth.logOut.mutate();
  const end = await until("the socket is closed", () => there.end.value, 5_000);
  expect(end).toEqual({ code: 1008, reason: "session ended" });
});

test("a developer operates an app and orders none", async () => {
  const [owner, person] = [await house.customer(), await house.customer()];
  const organizationId = await join(owner, person, "developer");
  const { instanceId } = await orderFree(owner.api, "order-for-developer");
  const there = createClient(house.url, person.token, organizationId);
  expect(await there.instances.get.query({ instanceId })).toMatchObject({ id: instanceId });
  await expect(orderFree(there, "order-by-developer")).rejects.toMatchObject({ data: { appCode: "FORBIDDEN" } });
  // Let in, and refused for what the app is: it is still being set up.
  await expect(there.instances.stop.mutate({ instanceId, idempotencyKey: "stop-by-developer" })).rejects.toMatchObject({
    data: { appCode: "OPERATION_IN_PROGRESS" },
  });
});

test("B79 a slug is one label, not one of the house's words, and nobody else's", async () => {
  const [one, two] = [await house.customer(), await house.customer()];
  const named = (slug: string, customer = one) => customer.api.organizations.update.mutate({ slug });
  expect(await named("olgas-shop")).toMatchObject({ slug: "olgas-shop" });
  for (const slug of ["admin", "www", "ab", "-a-b", "a--b", "a.b", "Olga", "1shop", "xn--shop", "a".repeat(41)]) {
    await expect(named(slug)).rejects.toMatchObject({ data: { appCode: "INVALID_INPUT", code: "BAD_REQUEST" } });
  }
  await expect(named("olgas-shop", two)).rejects.toMatchObject({
    data: { appCode: "CONFLICT", issues: [{ path: "slug" }] },
  });
  await expect(one.api.organizations.update.mutate({ timeZone: "Mars/Base" })).rejects.toMatchObject({
    data: { appCode: "INVALID_INPUT", issues: [{ path: "timeZone" }] },
  });
  const settings = { allowedEmailDomains: ["B.example", "a.example", "b.example"] };
  expect(await one.api.organizations.update.mutate({ settings })).toMatchObject({
    slug: "olgas-shop",
    settings: { allowedEmailDomains: ["a.example", "b.example"] },
  });
});
