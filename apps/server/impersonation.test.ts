import { concludeImpersonations } from "@sewa/core";
import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createClient, type Customer, orderFree, startTestHouse, type TestHouse, until } from "./test-house.ts";

// The slow timer never comes: what ends a socket here was told to it.
let house: TestHouse;
let operator: Customer;
beforeAll(async () => {
  house = await startTestHouse({ limits: { slowTimerMs: 600_000 } });
  operator = await house.operator();
});
afterAll(() => house[Symbol.asyncDispose]());

const reason = "They asked us to look at their app.";
const appCodeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "OK",
    (error: unknown) => (error instanceof TRPCClientError ? error.data.appCode : error),
  );

async function actAs(customer: Customer, by: Customer = operator) {
  const { user, organization } = await customer.api.auth.me.query();
  const who = { userId: user.id, organizationId: organization.id };
  const started = await by.api.admin.users.impersonate.mutate({ ...who, reason, minutes: 30 });
  return { ...started, ...who, api: createClient(house.url, started.token) };
}

async function logInAgain({ email, password }: Customer): Promise<Customer> {
  const { token } = await createClient(house.url, null).auth.logIn.mutate({ email, password });
  return { email, password, token, api: createClient(house.url, token) };
}

/** Answers the reason of its close frame; null while it is open. */
async function openSocket(token: string): Promise<AsyncDisposable & { reason(): string | null }> {
  const socket = new WebSocket(`${house.url.replace("http", "ws")}/trpc`, {
    headers: { authorization: `Bearer ${token}` },
  });
  let [reasonGiven, answers]: [string | null, number] = [null, 0];
  socket.on("message", () => (answers += 1));
  socket.on("close", (_, why) => (reasonGiven = why.toString()));
  socket.on("open", () =>
    socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "auth.me", input: {} } })),
  );
  await until("it is let in", () => answers > 0);
  return {
    reason: () => reasonGiven,
    [Symbol.asyncDispose]: () => Promise.resolve(socket.terminate()),
  };
}

test("an operator acts as a customer in one organization, and everybody can see it", async () => {
  const customer = await house.customer();
  const acting = await actAs(customer);
  const me = await acting.api.auth.me.query();
  expect(me).toMatchObject({ user: { id: acting.userId }, isOperator: false, impersonation: { reason } });
  expect(me.impersonation?.endsAt).toEqual(acting.endsAt);
  expect(await customer.api.auth.me.query()).toMatchObject({ impersonation: null });
  const { items: sessions } = await customer.api.auth.sessions.list.query({});
  expect(sessions.find(({ id }) => id === acting.sessionId)).toMatchObject({ impersonationReason: reason });
  expect(sessions.find(({ isCurrent }) => isCurrent)).toMatchObject({ impersonationReason: null });

  const events = (await customer.api.events.list.query({})).items;
  const began = events.find(({ type }) => type === "user.impersonationBegan");
  expect(began).toMatchObject({ actor: { type: "operator", id: null }, data: { userId: acting.userId, reason } });
  const mails = await house.sql(`select kind from notifications where dedupe_key like 'impersonation_began:%'`);
  expect(mails.length).toBeGreaterThan(0);
});

test("what is done while acting names both in the audit, the operator's id for operators alone", async () => {
  const customer = await house.customer();
  const { instanceId } = await orderFree(customer.api, "order-audit-acting");
  const acting = await actAs(customer);
  // As if it were up: there is no worker here that could end its first provisioning.
  await house.sql(
    `update operations set status = 'succeeded', finished_at = now() where status in ('queued', 'running')`,
  );
  await acting.api.instances.restart.mutate({ instanceId, idempotencyKey: "restart-acting" });
  const entry = (await customer.api.audit.list.query({})).items.find(
    ({ action }) => action === "instance.restartRequested",
  );
  expect(entry).toMatchObject({
    actor: { type: "user", id: acting.userId, operator: { id: null } },
    clientAddress: null,
    userAgent: null,
  });
  const { user } = await operator.api.auth.me.query();
  const byOperator = await operator.api.admin.audit.list.query({
    organizationId: acting.organizationId,
    actor: { type: "operator", id: user.id },
    action: "instance.restartRequested",
  });
  expect(byOperator.items).toMatchObject([{ actor: { id: acting.userId, operator: { id: user.id } } }]);
});

test("B107 money, secrets, members, the account and the operators' own are out of reach, also through a plan that removes", async () => {
  const customer = await house.customer();
  const { instanceId, subscriptionId } = await orderFree(customer.api, "order-out-of-reach");
  const { api } = await actAs(customer);
  const key = { idempotencyKey: "out-of-reach" };
  const calls: readonly (() => Promise<unknown>)[] = [
    () => api.subscriptions.cancelNow.mutate({ subscriptionId, confirmName: "Status page", ...key }),
    () => api.instances.revealCredentials.mutate({ instanceId }),
    () => api.instances.plan.mutate({ instanceId, change: { kind: "deprovision" }, ...key }),
    () => api.organizations.list.query({}),
    () => api.auth.socketTicket.mutate(),
    () => api.admin.users.list.query({}),
  ];
  for (const call of calls) expect(await appCodeOf(call())).toBe("NOT_WHILE_IMPERSONATING");
});

test("nobody acts as an operator, as a suspended user, as who is no member, or as somebody while acting as another", async () => {
  const [customer, other] = [await house.customer(), await house.customer()];
  const { user, organization } = await customer.api.auth.me.query();
  const { organization: foreign } = await other.api.auth.me.query();
  const { user: self, organization: home } = await operator.api.auth.me.query();
  const wish = { reason, minutes: 5 };
  const ask = (who: { userId: string; organizationId: string }): Promise<unknown> =>
    appCodeOf(operator.api.admin.users.impersonate.mutate({ ...wish, ...who }));
  expect(await ask({ userId: self.id, organizationId: home.id })).toBe("FORBIDDEN");
  expect(await ask({ userId: user.id, organizationId: foreign.id })).toBe("NOT_FOUND");
  const acting = await actAs(other);
  const nested = { ...wish, userId: user.id, organizationId: organization.id };
  expect(await appCodeOf(acting.api.admin.users.impersonate.mutate(nested))).toBe("NOT_WHILE_IMPERSONATING");
  const elsewhere = createClient(house.url, acting.token, organization.id);
  expect(await appCodeOf(elsewhere.auth.me.query())).toBe("NOT_FOUND");
  await operator.api.admin.users.suspend.mutate({ userId: user.id, reason: "Sends spam." });
  expect(await ask({ userId: user.id, organizationId: organization.id })).toBe("CONFLICT");
  for (const minutes of [0, 61, 1.5])
    expect(await appCodeOf(operator.api.admin.users.impersonate.mutate({ ...nested, minutes }))).toBe("INVALID_INPUT");
  const short = { ...nested, reason: "No why." };
  expect(await appCodeOf(operator.api.admin.users.impersonate.mutate(short))).toBe("INVALID_INPUT");
});

test.each([
  ["the user ends it", async (customer, { sessionId }) => customer.api.auth.sessions.revoke.mutate({ sessionId })],
  [
    "the operator ends it",
    async (_, { userId, organizationId }, by) => by.api.admin.users.endImpersonation.mutate({ userId, organizationId }),
  ],
  ["it is logged out", async (_, { api }) => api.auth.logOut.mutate()],
  ["the operator logs out", async (_, __, by) => by.api.auth.logOut.mutate()],
  [
    "the user is suspended",
    async (_, { userId }, by) => by.api.admin.users.suspend.mutate({ userId, reason: "Sends spam." }),
  ],
] as const satisfies readonly (readonly [
  string,
  (customer: Customer, acting: Awaited<ReturnType<typeof actAs>>, by: Customer) => Promise<unknown>,
])[])("when %s, the session is nobody's at once, its socket closes, and the user is told", async (_, end) => {
  const [customer, by] = [await house.customer(), await logInAgain(operator)];
  const acting = await actAs(customer, by);
  await using socket = await openSocket(acting.token);
  await end(customer, acting, by);
  expect(["UNAUTHORIZED", "ACCOUNT_SUSPENDED"]).toContain(await appCodeOf(acting.api.auth.me.query()));
  await until("the socket is closed", () => socket.reason() !== null);
  await concludeImpersonations(house.core);
  await concludeImpersonations(house.core);
  const [uuid] = await house.sql(`select id from users where email = '${customer.email}'`);
  const told = await house.sql(
    `select kind from notifications where user_id = '${String(uuid?.["id"])}' and kind like 'impersonation%' order by kind`,
  );
  expect(told).toEqual([{ kind: "impersonation_began" }, { kind: "impersonation_ended" }]);
});

test("when its time is over, it is nobody's, and no longer than the operator's own session", async () => {
  const [customer, by] = [await house.customer(), await logInAgain(operator)];
  await house.sql(
    `update sessions set expires_at = now() + interval '3 seconds', absolute_expires_at = now() + interval '3 seconds'
      where id = encode(sha256('${by.token}'), 'hex')`,
  );
  const acting = await actAs(customer, by);
  expect(acting.endsAt.getTime()).toBeLessThan(Date.now() + 30_000);
  await using socket = await openSocket(acting.token);
  await until("its socket is closed", () => socket.reason() !== null);
  expect(await appCodeOf(acting.api.auth.me.query())).toBe("UNAUTHORIZED");
});

test("an operator switches off the second factor of who has lost it, and not their own", async () => {
  const customer = await house.customer();
  const { user } = await customer.api.auth.me.query();
  const wish = { userId: user.id, reason: "Seen with their passport." };
  expect(await appCodeOf(operator.api.admin.users.resetSecondFactor.mutate(wish))).toBe("CONFLICT");
  const [row] = await house.sql(`select id from users where email = '${customer.email}'`);
  const sealed = house.core.keyring.seal("JBSWY3DPEHPK3PXP", "x");
  await house.sql(
    `insert into second_factors (user_id, key_id, sealed, enabled_at, last_counter)
      values ('${String(row?.["id"])}', '${sealed.keyId}', '${sealed.sealed}', now(), 1)`,
  );
  const logIn = { email: customer.email, password: customer.password };
  expect(await appCodeOf(createClient(house.url, null).auth.logIn.mutate(logIn))).toBe("TOTP_REQUIRED");
  expect(await operator.api.admin.users.resetSecondFactor.mutate(wish)).toEqual({ userId: user.id });
  expect(await appCodeOf(customer.api.auth.me.query())).toBe("UNAUTHORIZED");
  const back = createClient(house.url, (await createClient(house.url, null).auth.logIn.mutate(logIn)).token);
  const entry = (await back.audit.list.query({})).items.find(({ action }) => action === "user.totpReset");
  expect(entry).toMatchObject({ actor: { type: "operator", id: null }, reason: null });
  const { items } = await operator.api.admin.audit.list.query({ action: "user.totpReset" });
  expect(items).toMatchObject([{ reason: wish.reason }, { reason: wish.reason }]);
  const mails = await house.sql(`select user_id from notifications where kind = 'second_factor_reset'`);
  expect(mails).toEqual([{ user_id: String(row?.["id"]) }]);
  const { user: self } = await operator.api.auth.me.query();
  expect(await appCodeOf(operator.api.admin.users.resetSecondFactor.mutate({ ...wish, userId: self.id }))).toBe(
    "CONFLICT",
  );
});
