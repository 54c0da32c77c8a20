import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, createSocketClient, orderFree, startTestHouse, type TestHouse } from "./test-house.ts";

// The slow timer never comes: what ends a socket here was told to it.
let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({ limits: { slowTimerMs: 600_000 } });
});
afterAll(() => house[Symbol.asyncDispose]());

const refusalOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "OK",
    (error: unknown) => (error instanceof TRPCClientError ? error.data : error),
  );

test("a customer takes along what is kept of them, page by page, as JSON", async () => {
  const { api, email, token } = await house.customer();
  await orderFree(api, "export-order");
  const tables = new Set<string>();
  let text = "";
  let cursor: string | undefined;
  do {
    const page = await api.account.export.mutate({ limit: 20, cursor });
    for (const { table, organizationId } of page.items) {
      tables.add(table);
      expect(organizationId).toMatch(/^org_/);
    }
    text += JSON.stringify(page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect([...tables]).toEqual(
    expect.arrayContaining(["users", "sessions", "orders", "instances", "invoices", "audit_entries"]),
  );
  expect(text).toContain(email);
  expect(text).not.toContain(token);
  for (const bad of ["!", "W10"])
    expect(await refusalOf(api.account.export.mutate({ cursor: bad }))).toMatchObject({ appCode: "INVALID_INPUT" });
});

test("who deletes their account is told what stands in the way, is out everywhere at once with their sockets, and comes back as nobody", async () => {
  const { api, email, password, token } = await house.customer();
  const { subscriptionId } = await orderFree(api, "deletion-order");
  expect(await api.account.previewDeletion.query()).toMatchObject({
    obstacles: [],
    organizations: [{ becomes: "closed", obstacles: [{ code: "LIVE_APPS" }], endingApps: 0 }],
    kept: expect.arrayContaining([{ what: "invoices", why: "accounting" }]),
  });
  expect(await refusalOf(api.account.delete.mutate({ confirmEmail: email }))).toMatchObject({
    appCode: "DELETION_BLOCKED",
    httpStatus: 409,
    issues: [{ path: "LIVE_APPS" }],
  });
  await api.subscriptions.cancelNow.mutate({
    subscriptionId,
    confirmName: "Status page",
    idempotencyKey: "deletion-cancel",
  });
  expect(await refusalOf(api.account.delete.mutate({ confirmEmail: "other@example.com" }))).toMatchObject({
    appCode: "NAME_MISMATCH",
    issues: [{ path: "confirmEmail" }],
  });
  await using socket = createSocketClient(house.url, { token });
  await socket.api.auth.me.query();
  const { deletedAt, userId } = await api.account.delete.mutate({ confirmEmail: ` ${email.toUpperCase()} ` });
  expect(userId).toMatch(/^usr_/);
  expect(deletedAt).toBeInstanceOf(Date);
  await expect.poll(() => refusalOf(socket.api.auth.me.query())).toMatchObject({ appCode: "UNAUTHORIZED" });
  expect(await refusalOf(api.auth.me.query())).toMatchObject({ appCode: "UNAUTHORIZED" });
  const logIn = createClient(house.url, null).auth.logIn.mutate({ email, password });
  expect(await refusalOf(logIn)).toMatchObject({ appCode: "INVALID_CREDENTIALS" });
});

test("an operator deletes a user with a reason, twice like once", async () => {
  const [operator, customer] = [await house.customer(), await house.customer()];
  await house.sql(`update users set is_operator = true where email = '${operator.email}'`);
  const { user } = await customer.api.auth.me.query();
  expect(await operator.api.admin.users.previewDeletion.query({ userId: user.id })).toMatchObject({
    organizations: [{ becomes: "closed", obstacles: [] }],
  });
  const input = { userId: user.id, reason: "They asked us to." };
  const deletion = await operator.api.admin.users.delete.mutate(input);
  expect(await operator.api.admin.users.delete.mutate(input)).toEqual(deletion);
  expect(await refusalOf(customer.api.auth.me.query())).toMatchObject({ appCode: "UNAUTHORIZED" });
  const own = await operator.api.auth.me.query();
  expect(await refusalOf(operator.api.account.delete.mutate({ confirmEmail: own.user.email }))).toMatchObject({
    appCode: "DELETION_BLOCKED",
    issues: [{ path: "LAST_OPERATOR" }],
  });
});
