import { transformer } from "@sewa/api";
import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, createSocketClient, portal, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

test("who has registered, proved the address and logged in is somebody by cookie, by bearer token, and on a socket by token or ticket", async () => {
  const customer = await house.customer("Ana");

  const cookie = await fetch(`${house.url}/trpc/auth.logIn`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: portal },
    body: JSON.stringify(transformer.serialize({ email: customer.email, password: customer.password })),
  });
  const [sessionCookie = ""] = cookie.headers.getSetCookie();
  expect(sessionCookie).toMatch(/^session=sewa_s_[\w-]+; Path=\/; Expires=.+; HttpOnly; SameSite=Lax$/);
  const byCookie = await fetch(`${house.url}/trpc/auth.me`, {
    headers: { cookie: sessionCookie.split(";")[0]!, origin: portal },
  });
  expect(byCookie.headers.get("access-control-allow-origin")).toBe(portal);
  expect(await byCookie.json()).toMatchObject({ result: { data: { json: { user: { email: customer.email } } } } });

  expect(await customer.api.auth.me.query()).toMatchObject({
    user: { name: "Ana", isEmailVerified: true },
    isOperator: false,
  });

  await using byToken = createSocketClient(house.url, { token: customer.token });
  expect(await byToken.api.auth.me.query()).toMatchObject({ user: { email: customer.email } });

  const { ticket } = await customer.api.auth.socketTicket.mutate();
  await using byTicket = createSocketClient(house.url, { ticket });
  expect(await byTicket.api.auth.me.query()).toMatchObject({ user: { email: customer.email } });
});

test("B35 a session that was logged out is nobody, over HTTP at once", async () => {
  const { api } = await house.customer();
  expect(await api.auth.logOut.mutate()).toEqual({ status: "logged_out" });
  await expect(api.auth.me.query()).rejects.toMatchObject({
    data: { code: "UNAUTHORIZED", appCode: "UNAUTHORIZED", httpStatus: 401 },
  });
});

test("B28 a wrong password and an unknown address get the same answer", async () => {
  const { email } = await house.customer();
  const api = createClient(house.url, null);
  const refused = (address: string) =>
    api.auth.logIn.mutate({ email: address, password: "wrong password" }).then(
      () => "let in",
      (error: unknown) =>
        error instanceof TRPCClientError ? { message: error.message, data: { ...error.data, requestId: null } } : error,
    );
  const shapes = await Promise.all([email, "nobody@customer.test"].map(refused));
  expect(shapes[0]).toEqual(shapes[1]);
  expect(shapes[0]).toMatchObject({ data: { appCode: "INVALID_CREDENTIALS", httpStatus: 401 } });
});

test("B107 what belongs to operators is refused to customers, and answered to operators", async () => {
  const [customer, operator] = [await house.customer(), await house.operator()];
  await expect(customer.api.admin.nodes.list.query({})).rejects.toMatchObject({ data: { appCode: "FORBIDDEN" } });
  const { items } = await operator.api.admin.nodes.list.query({});
  expect(items.map(({ name }) => name)).toEqual(["pc-2", "pc-3"]);
  expect(await operator.api.admin.nodes.cordon.mutate({ name: "pc-3", reason: "New disk." })).toMatchObject({
    desiredSchedulable: false,
  });
  expect(await operator.api.admin.nodes.uncordon.mutate({ name: "pc-3" })).toMatchObject({ desiredSchedulable: true });
  await expect(operator.api.admin.nodes.get.query({ name: "pc-9" })).rejects.toMatchObject({
    data: { appCode: "NOT_FOUND" },
  });
});
