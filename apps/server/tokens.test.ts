import { fromPublicId, newApiToken } from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  createClient,
  createSocketClient,
  type Customer,
  orderFree,
  startTestHouse,
  type TestHouse,
  until,
} from "./test-house.ts";
import { followEvents } from "./test-stream.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ limits: { slowTimerMs: 60_000 } });
});
afterAll(() => house[Symbol.asyncDispose]());

type Wish = Parameters<Customer["api"]["tokens"]["create"]["mutate"]>[0];

function give({ api }: Customer, wish: Partial<Wish> = {}) {
  const usual = { name: "Pipeline", scopes: ["read"], expiresInDays: 30 } as const;
  return api.tokens.create.mutate({ ...usual, idempotencyKey: `token-${crypto.randomUUID()}`, ...wish });
}

const refusedWith = (appCode: string, message?: string): object => ({
  ...(message !== undefined && { message }),
  data: { appCode },
});

/** How `auth.me` is answered on a new socket: by its code, or OK. */
function answerOnSocket(
  parameters: Record<string, string>,
  headers: Record<string, string> = {},
  url = house.url,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/trpc?connectionParams=1`, { headers });
    socket.on("open", () => {
      socket.send(JSON.stringify({ method: "connectionParams", data: parameters }));
      socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "auth.me", input: {} } }));
    });
    socket.on("message", (data) => {
      resolve(/"appCode":"(\w+)"/.exec((data as Buffer).toString())?.[1] ?? "OK");
      socket.close();
    });
    socket.on("error", reject);
  });
}

test("B38 a program calls by its token what the token is for, and is told what it lacks", async () => {
  const owner = await house.customer("Olga");
  const { instanceId } = await orderFree(owner.api, "order-for-token");
  const { token, ...made } = await give(owner, { scopes: ["read", "apps"] });
  const program = createClient(house.url, token);
  expect(await program.auth.me.query()).toMatchObject({ organization: { name: "Olga" }, role: "owner" });
  expect(await program.instances.get.query({ instanceId })).toMatchObject({ id: instanceId });
  // Let in, and refused for what the app is: it is still being set up.
  await expect(program.instances.stop.mutate({ instanceId, idempotencyKey: "stop-by-token" })).rejects.toMatchObject(
    refusedWith("OPERATION_IN_PROGRESS"),
  );
  await expect(program.instances.revealCredentials.mutate({ instanceId })).rejects.toMatchObject({
    message: 'This API token lacks the scope "credentials".',
    data: { appCode: "TOKEN_SCOPE", code: "FORBIDDEN", httpStatus: 403 },
  });
  await expect(orderFree(program, "order-by-token")).rejects.toMatchObject(refusedWith("TOKEN_SCOPE"));
  const { items } = await owner.api.tokens.list.query({});
  expect(items).toMatchObject([{ id: made.id, hint: token.slice(0, 12), userName: "Olga", status: "active" }]);
  expect(JSON.stringify(items)).not.toContain(token.slice(12));
  await until("its use is written down", async () => {
    const [seen] = (await owner.api.tokens.list.query({})).items;
    return seen?.lastUsedAt !== null && seen?.lastUsedAddress === "127.0.0.1";
  });
});

test("a token is no session: it starts, prolongs and ends none, and no cookie holds it", async () => {
  const owner = await house.customer();
  const { token } = await give(owner, { scopes: ["read", "apps", "orders", "billing", "credentials", "organization"] });
  const program = createClient(house.url, token);
  const beyond = [
    () => program.auth.logOut.mutate(),
    () => program.auth.socketTicket.mutate(),
    () => program.organizations.list.query({}),
    () => program.organizations.create.mutate({ name: "Another", idempotencyKey: "by-token-1" }),
    () => program.organizations.leave.mutate(),
    () => program.tokens.list.query({}),
    () => give({ ...owner, api: program }),
  ];
  for (const call of beyond) {
    await expect(call()).rejects.toMatchObject(refusedWith("TOKEN_SCOPE", "No API token may do this. Log in."));
  }
  const byCookie = await fetch(`${house.url}/trpc/auth.me`, { headers: { cookie: `session=${token}` } });
  expect(byCookie.status).toBe(401);
  expect(await answerOnSocket({ ticket: token })).toBe("UNAUTHORIZED");
});

test("B39 an operator's token is a customer's", async () => {
  const operator = await house.operator();
  const { token } = await give(operator, { scopes: ["read", "organization"] });
  const program = createClient(house.url, token);
  await expect(program.admin.nodes.list.query({})).rejects.toMatchObject(refusedWith("TOKEN_SCOPE"));
  expect(await operator.api.admin.nodes.list.query({})).toMatchObject({ items: [{}, {}] });
});

test("B37 what is wrong, of nobody, revoked or of another organization opens nothing, here as on a socket", async () => {
  const owner = await house.customer();
  const { id, token } = await give(owner);
  const { organization } = await (await house.customer()).api.auth.me.query();
  await expect(createClient(house.url, token, organization.id).auth.me.query()).rejects.toMatchObject(
    refusedWith("NOT_FOUND", "No such organization."),
  );
  expect(await createClient(house.url, token).auth.me.query()).toBeDefined();
  await owner.api.tokens.revoke.mutate({ tokenId: id });
  const typo = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
  for (const text of [token, typo, newApiToken().token]) {
    await expect(createClient(house.url, text).auth.me.query()).rejects.toMatchObject(
      refusedWith("UNAUTHORIZED", "This API token is not valid."),
    );
    expect(await answerOnSocket({ token: text })).toBe("UNAUTHORIZED");
  }
});

test("a program follows events on a socket, which closes within five seconds once its token is revoked", async () => {
  const owner = await house.customer();
  const [one, other] = [await give(owner), await give(owner)];
  await using socket = createSocketClient(house.url, { token: one.token });
  expect(await socket.api.auth.me.query()).toMatchObject({ user: { email: owner.email } });
  await using followed = await followEvents(house.url, { token: one.token });
  await using others = await followEvents(house.url, { token: other.token });
  await orderFree(owner.api, "order-before-revoke");
  await until("it hears", () => followed.seen.some((text) => text.includes("order.placed")));
  await owner.api.tokens.revoke.mutate({ tokenId: one.id });
  const end = await until("the socket is closed", () => followed.end.value, 5_000);
  expect(end).toEqual({ code: 1008, reason: "session ended" });
  const before = followed.seen.length;
  await orderFree(owner.api, "order-after-revoke");
  await until("the other hears", () => others.seen.filter((text) => text.includes("order.placed")).length === 2);
  expect(followed.seen.length).toBe(before);
});

test("tokens of a member who is removed end with their sockets, and those of who is made less may less", async () => {
  const [owner, person] = [await house.customer("Olga"), await house.customer("Mia")];
  const [{ organization }, { user }] = [await owner.api.auth.me.query(), await person.api.auth.me.query()];
  const [there, mia] = [fromPublicId("organization", organization.id), fromPublicId("user", user.id)];
  await house.sql(`insert into members (organization_id, user_id, role) values ('${there}', '${mia}', 'developer')`);
  const elsewhere = { ...person, api: createClient(house.url, person.token, organization.id) };
  const { token } = await give(elsewhere, { scopes: ["read", "apps"] });
  const { instanceId } = await orderFree(owner.api, "order-for-member");
  const program = createClient(house.url, token);
  // The organization is the token's: it need not be named, and the member's home is another.
  expect(await program.auth.me.query()).toMatchObject({ organization: { name: "Olga" }, role: "developer" });
  await owner.api.organizations.members.changeRole.mutate({ userId: user.id, role: "viewer" });
  await expect(program.instances.stop.mutate({ instanceId, idempotencyKey: "stop-by-viewer" })).rejects.toMatchObject(
    refusedWith("FORBIDDEN"),
  );
  await using followed = await followEvents(house.url, { token });
  await owner.api.organizations.members.remove.mutate({ userId: user.id, idempotencyKey: "remove-mia-1" });
  await until("the socket is closed", () => followed.end.value, 5_000);
  await expect(program.auth.me.query()).rejects.toMatchObject(refusedWith("UNAUTHORIZED"));
});

test("B19 a token with networks is good from there alone, as the trusted proxies tell it and not the client", async () => {
  const owner = await house.customer();
  const { token } = await give(owner, { allowedNetworks: ["192.0.2.0/24", "2001:db8::/32"] });
  const { token: near } = await give(owner, { allowedNetworks: ["127.0.0.1"] });
  const proxied = await house.another({ trustedProxies: 1 });
  const status = async (url: string, secret: string, forwarded: string): Promise<number> => {
    const headers = { authorization: `Bearer ${secret}`, "x-forwarded-for": forwarded };
    return (await fetch(`${url}/trpc/auth.me`, { headers })).status;
  };
  expect(await status(proxied.url, token, "192.0.2.9")).toBe(200);
  expect(await status(proxied.url, token, "2001:db8::9")).toBe(200);
  expect(await status(proxied.url, token, "198.51.100.1")).toBe(401);
  expect(await status(proxied.url, token, "192.0.2.9, 198.51.100.1")).toBe(401);
  expect(await status(proxied.url, token, "nonsense")).toBe(401);
  expect(await status(house.url, token, "192.0.2.9")).toBe(401);
  expect(await status(house.url, near, "198.51.100.1")).toBe(200);
  expect(await status(proxied.url, near, "198.51.100.1")).toBe(401);
  const from = (address: string) => ({ authorization: `Bearer ${token}`, "x-forwarded-for": address });
  expect(await answerOnSocket({}, from("192.0.2.9"), proxied.url)).toBe("OK");
  expect(await answerOnSocket({}, from("198.51.100.1"), proxied.url)).toBe("UNAUTHORIZED");
});

test.each([
  [{ scopes: [] }, "scopes"],
  [{ scopes: ["admin"] }, "scopes.0"],
  [{ expiresInDays: 31 }, "expiresInDays"],
  [{ expiresInDays: undefined }, "expiresInDays"],
  [{ allowedNetworks: ["10.0.0.0/33"] }, "allowedNetworks.0"],
  [{ allowedNetworks: Array.from({ length: 21 }, (_, index) => `10.0.0.${index}`) }, "allowedNetworks"],
  [{ name: " " }, "name"],
])("a token is not made with %j", async (wish, path) => {
  const owner = await house.customer();
  await expect(give(owner, wish as Partial<Wish>)).rejects.toMatchObject({
    data: { appCode: "INVALID_INPUT", issues: [{ path }] },
  });
});
