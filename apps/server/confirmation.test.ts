import { appRouter, type ProcedureMeta, transformer } from "@sewa/api";
import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rows } from "./test-matrix-rows.ts";
import { createClient, type Customer, orderFree, portal, startTestHouse, type TestHouse } from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse();
});
afterAll(() => house[Symbol.asyncDispose]());

const procedures = Object.entries(appRouter._def.procedures).map(([path, procedure]) => ({
  path,
  meta: (procedure as unknown as { _def: { meta: ProcedureMeta } })._def.meta,
}));
const asked = procedures.flatMap(({ path, meta }) => (meta.confirmation === undefined ? [] : [path]));

/** As after a quarter of an hour. */
const age = ({ token }: { readonly token: string }): Promise<unknown> =>
  house.sql(
    `update sessions set confirmed_at = confirmed_at - interval '15 minutes' where id = encode(sha256('${token}'), 'hex')`,
  );

const call = async (path: string, { token }: Customer, input: unknown): Promise<string> => {
  const response = await fetch(`${house.url}/trpc/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(transformer.serialize(input)),
  });
  return /"appCode":"(\w+)"/.exec(await response.text())?.[1] ?? "OK";
};

const nobodys = Object.fromEntries(
  ["organization", "user", "subscription", "instance", "change"].map((noun) => [`${noun}Id`, "nobodys"]),
) as unknown as Parameters<NonNullable<(typeof rows)[string]>>[0];

test("what cannot be undone asks for a proof", () => {
  expect(asked).toEqual([
    "auth.identities.link",
    "auth.identities.unlink",
    "auth.totp.begin",
    "auth.totp.disable",
    "auth.totp.renewRecoveryCodes",
    "account.export",
    "account.delete",
    "subscriptions.cancelNow",
    "instances.executePlan",
    "instances.revealCredentials",
    "organizations.transferOwnership",
    "admin.users.delete",
    "admin.users.impersonate",
    "admin.users.resetSecondFactor",
    "admin.instances.remove",
  ]);
});

test.each(asked.filter((path) => !path.startsWith("admin.")))(
  "%s is refused with CONFIRMATION_REQUIRED to a session that is not confirmed, and to no other",
  async (path) => {
    const customer = await house.customer();
    if (path.startsWith("admin."))
      await house.sql(`update users set is_operator = true where email = '${customer.email}'`);
    const row = rows[path]?.(nobodys, { planId: "", idempotencyKey: `confirm-${path.replaceAll(".", "-")}` });
    const input = path === "instances.executePlan" ? { ...(row as object), confirmName: "Status page" } : row;
    expect(await call(path, customer, input)).not.toBe("CONFIRMATION_REQUIRED");
    await age(customer);
    expect(await call(path, customer, input)).toBe("CONFIRMATION_REQUIRED");
    expect(await call("auth.confirm", customer, { password: "wrong password" })).toBe("INVALID_CREDENTIALS");
    expect(await call(path, customer, input)).toBe("CONFIRMATION_REQUIRED");
    expect(await call("auth.confirm", customer, { password: customer.password })).toBe("OK");
    expect(await call(path, customer, input)).not.toBe("CONFIRMATION_REQUIRED");
  },
);

test("so is what only operators do, from an operator", async () => {
  const operator = await house.operator();
  await age(operator);
  for (const path of asked.filter((each) => each.startsWith("admin."))) {
    const input = rows[path]?.(nobodys, { planId: "", idempotencyKey: "confirm-operator" });
    expect(await call(path, operator, input)).toBe("CONFIRMATION_REQUIRED");
  }
  expect(await call("auth.confirm", operator, { password: operator.password })).toBe("OK");
  for (const path of asked.filter((each) => each.startsWith("admin."))) {
    const input = rows[path]?.(nobodys, { planId: "", idempotencyKey: "confirm-operator" });
    expect(await call(path, operator, input)).not.toBe("CONFIRMATION_REQUIRED");
  }
});

test("a plan that removes nothing needs no proof", async () => {
  const customer = await house.customer();
  await age(customer);
  const row = rows["instances.executePlan"]?.(nobodys, { planId: "", idempotencyKey: "confirm-upgrade" });
  expect(await call("instances.executePlan", customer, row)).toBe("NOT_FOUND");
});

test("a subscription is cancelled now only after the password was said again, and once", async () => {
  const customer = await house.customer();
  const { subscriptionId } = await orderFree(customer.api, "confirm-order");
  await age(customer);
  const cancel = { subscriptionId, confirmName: "Status page", idempotencyKey: "confirm-cancel" };
  await expect(customer.api.subscriptions.cancelNow.mutate(cancel)).rejects.toMatchObject({
    data: { appCode: "CONFIRMATION_REQUIRED", code: "FORBIDDEN", httpStatus: 403 },
  });
  expect(await customer.api.subscriptions.get.query({ subscriptionId })).toMatchObject({ status: "active" });
  const { confirmedUntil } = await customer.api.auth.confirm.mutate({ password: customer.password });
  expect(confirmedUntil > new Date()).toBe(true);
  expect(await customer.api.subscriptions.cancelNow.mutate(cancel)).toMatchObject({ status: "cancelled" });
});

test("a program proves nothing again: its scope was given for it, and one that it lacks is refused all the same", async () => {
  const customer = await house.customer();
  const { subscriptionId, instanceId } = await orderFree(customer.api, "confirm-by-program");
  const give = async (...scopes: readonly ("read" | "orders" | "credentials")[]): Promise<Customer["api"]> => {
    const wish = { name: "Pipeline", scopes: [...scopes], expiresInDays: 30 } as const;
    const { token } = await customer.api.tokens.create.mutate({ ...wish, idempotencyKey: `give-${scopes.join("-")}` });
    return createClient(house.url, token);
  };
  const [reader, buyer, opener] = [await give("read"), await give("orders"), await give("credentials")];
  // Who made them could not do it now.
  await age(customer);
  const cancel = { subscriptionId, confirmName: "Status page", idempotencyKey: "cancel-by-program" };
  for (const [program, other] of [
    [reader, reader],
    [opener, buyer],
  ] as const) {
    const lacks = { data: { appCode: "TOKEN_SCOPE" } };
    await expect(program.subscriptions.cancelNow.mutate(cancel)).rejects.toMatchObject(lacks);
    await expect(other.instances.revealCredentials.mutate({ instanceId })).rejects.toMatchObject(lacks);
  }
  // Let in, and refused for what the app is: it has no credentials before it runs.
  await expect(opener.instances.revealCredentials.mutate({ instanceId })).rejects.toMatchObject({
    data: { appCode: "INVALID_TRANSITION" },
  });
  expect(await buyer.subscriptions.cancelNow.mutate(cancel)).toMatchObject({ status: "cancelled" });
});

test("the second factor from the first code to the last, with the cookie that goes along", async () => {
  const customer = await house.customer();
  const { secret, uri } = await customer.api.auth.totp.begin.mutate();
  expect(uri).toContain(`secret=${secret}`);
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
  const response = await fetch(`${house.url}/trpc/auth.totp.enable`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: portal, cookie: `session=${customer.token}` },
    body: JSON.stringify(transformer.serialize({ code })),
  });
  const body = (await response.json()) as { result: { data: { json: { token: string; recoveryCodes: string[] } } } };
  const { token, recoveryCodes } = body.result.data.json;
  expect(response.headers.getSetCookie()).toHaveLength(1);
  expect(response.headers.getSetCookie()[0]).toMatch(new RegExp(`^session=${token}; .*HttpOnly; SameSite=Lax$`));
  await expect(customer.api.auth.me.query()).rejects.toMatchObject({ data: { appCode: "UNAUTHORIZED" } });
  const api = createClient(house.url, token);
  expect(await api.auth.totp.status.query()).toMatchObject({ enabledAt: expect.any(Date), recoveryCodesLeft: 10 });

  const visitor = createClient(house.url, null);
  const { email, password } = customer;
  await expect(visitor.auth.logIn.mutate({ email, password })).rejects.toMatchObject({
    data: { appCode: "TOTP_REQUIRED", httpStatus: 403 },
  });
  await expect(visitor.auth.logIn.mutate({ email, password, code })).rejects.toMatchObject({
    data: { appCode: "INVALID_CREDENTIALS", issues: [{ path: "code" }] },
  });
  const session = await visitor.auth.logIn.mutate({ email, password, code: recoveryCodes[0] });
  await age(session);
  const again = createClient(house.url, session.token);
  await expect(again.auth.totp.disable.mutate()).rejects.toMatchObject({
    data: { appCode: "CONFIRMATION_REQUIRED" },
  });
  await again.auth.confirm.mutate({ code: recoveryCodes[1] });
  const off = await again.auth.totp.disable.mutate();
  expect(await createClient(house.url, off.token).auth.totp.status.query()).toEqual({
    enabledAt: null,
    recoveryCodesLeft: 0,
  });
  await visitor.auth.logIn.mutate({ email, password });
});
