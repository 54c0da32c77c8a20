import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  createClient,
  createSocketClient,
  type Customer,
  startTestHouse,
  type TestHouse,
  until,
} from "./test-house.ts";

// The slow timer never comes: what ends a socket here was told to it.
let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ limits: { slowTimerMs: 600_000 } });
});
afterAll(() => house[Symbol.asyncDispose]());

interface OpenSocket extends AsyncDisposable {
  /** Of the close frame; null while it is open. */
  readonly reason: () => string | null;
}

/** A socket that has been let in as whoever has the token. */
async function openSocket(token: string): Promise<OpenSocket> {
  const socket = new WebSocket(`${house.url.replace("http", "ws")}/trpc`, {
    headers: { authorization: `Bearer ${token}` },
  });
  let reason: string | null = null;
  let answers = 0;
  socket.on("message", () => (answers += 1));
  socket.on("close", (_, why) => (reason = why.toString()));
  socket.on("open", () =>
    socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "auth.me", input: {} } })),
  );
  await until("it is let in", () => answers > 0);
  return {
    reason: () => reason,
    [Symbol.asyncDispose]: () => Promise.resolve(socket.terminate()),
  };
}

async function again({ email, password }: Customer): Promise<{ token: string; api: Customer["api"] }> {
  const { token } = await createClient(house.url, null).auth.logIn.mutate({ email, password });
  return { token, api: createClient(house.url, token) };
}

const appCodeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "OK",
    (error: unknown) => (error instanceof TRPCClientError ? error.data.appCode : error),
  );

test("a session that is revoked is nobody at once, its socket closes, and the one that asked goes on", async () => {
  const mine = await house.customer();
  const lost = await again(mine);
  await using mySocket = createSocketClient(house.url, { token: mine.token });
  await mySocket.api.auth.me.query();
  await using lostSocket = await openSocket(lost.token);
  const { items } = await mine.api.auth.sessions.list.query({});
  expect(items).toMatchObject([
    { id: expect.stringMatching(/^ses_/), isCurrent: false, clientAddress: "127.0.0.1", userAgent: expect.any(String) },
    { isCurrent: true },
  ]);
  expect(await mine.api.auth.sessions.revoke.mutate({ sessionId: items[0]!.id })).toEqual({ status: "revoked" });
  expect(await appCodeOf(lost.api.auth.me.query())).toBe("UNAUTHORIZED");
  expect(await until("the socket is closed", lostSocket.reason, 5_000)).toBe("session ended");
  expect(await mySocket.api.auth.sessions.list.query({})).toMatchObject({ items: [{ isCurrent: true }] });
});

test("nobody revokes a session of somebody else: a foreign, a former, an unknown and a malformed id are the same", async () => {
  const [mine, stranger] = [await house.customer(), await house.customer()];
  const gone = await again(mine);
  const [former] = (await mine.api.auth.sessions.list.query({})).items;
  await gone.api.auth.logOut.mutate();
  const [foreign] = (await stranger.api.auth.sessions.list.query({})).items;
  const ids = [foreign!.id, former!.id, `ses_${"0".repeat(26)}`, "' or 1=1"];
  const answers = await Promise.all(
    ids.map((sessionId) =>
      mine.api.auth.sessions.revoke.mutate({ sessionId }).then(
        () => "let through",
        (error: unknown) =>
          error instanceof TRPCClientError ? { message: error.message, data: { ...error.data, requestId: "" } } : error,
      ),
    ),
  );
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ data: { appCode: "NOT_FOUND" } });
  expect(await appCodeOf(stranger.api.auth.me.query())).toBe("OK");
});

test("all others end with one call, and their sockets close", async () => {
  const mine = await house.customer();
  const others = [await again(mine), await again(mine)];
  await using socket = await openSocket(others[0]!.token);
  expect(await mine.api.auth.sessions.revokeOthers.mutate()).toEqual({ count: 2 });
  for (const { api } of others) expect(await appCodeOf(api.auth.me.query())).toBe("UNAUTHORIZED");
  expect(await until("the socket is closed", socket.reason, 5_000)).toBe("session ended");
  expect(await mine.api.auth.sessions.revokeOthers.mutate()).toEqual({ count: 0 });
});

test("a new password ends all other sessions and the old token of this one, with their sockets", async () => {
  const mine = await house.customer();
  const other = await again(mine);
  await using mySocket = await openSocket(mine.token);
  await using otherSocket = await openSocket(other.token);
  const change = { currentPassword: mine.password, newPassword: "quite another password" };
  const { token } = await mine.api.auth.changePassword.mutate(change);
  for (const { api } of [mine, other]) expect(await appCodeOf(api.auth.me.query())).toBe("UNAUTHORIZED");
  for (const { reason } of [mySocket, otherSocket]) {
    expect(await until("the socket is closed", reason, 5_000)).toBe("session ended");
  }
  const renewed = createClient(house.url, token);
  expect(await renewed.auth.me.query()).toMatchObject({ user: { email: mine.email } });
  expect(await appCodeOf(again(mine))).toBe("INVALID_CREDENTIALS");
  const [audit] = await house.sql(
    `select count(*)::int as count from audit_entries a join users u on u.id::text = a.subject_id::text
      where u.email = '${mine.email}' and a.action = 'user.passwordChanged'`,
  );
  expect(audit).toEqual({ count: 1 });
});

test("who is suspended is out on every way within five seconds, by an operator who cannot suspend themselves", async () => {
  const [customer, operator] = [await house.customer(), await house.operator()];
  await using socket = await openSocket(customer.token);
  const { user } = await customer.api.auth.me.query();
  const suspension = { userId: user.id, reason: "Sends unwanted mail." };
  expect(await appCodeOf(customer.api.admin.users.suspend.mutate(suspension))).toBe("FORBIDDEN");
  expect(await operator.api.admin.users.suspend.mutate(suspension)).toEqual({
    userId: user.id,
    suspendedAt: expect.any(Date),
  });
  expect(await until("the socket is closed", socket.reason, 5_000)).toBe("session ended");
  expect(await appCodeOf(customer.api.auth.me.query())).toBe("UNAUTHORIZED");
  expect(await appCodeOf(again(customer))).toBe("ACCOUNT_SUSPENDED");
  const { user: self } = await operator.api.auth.me.query();
  expect(await appCodeOf(operator.api.admin.users.suspend.mutate({ ...suspension, userId: self.id }))).toBe("CONFLICT");
  expect(await operator.api.admin.users.unsuspend.mutate(suspension)).toEqual({ userId: user.id, suspendedAt: null });
  await again(customer);
});
