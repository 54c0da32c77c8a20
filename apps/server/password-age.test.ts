import { TRPCClientError } from "@trpc/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, createSocketClient, startTestHouse, type TestHouse, until } from "./test-house.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startTestHouse({}, { OPERATOR_PASSWORD_MAX_AGE_HOURS: "24" });
});
afterAll(() => house[Symbol.asyncDispose]());

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "OK",
    (error: unknown) => (error instanceof TRPCClientError ? error.data?.appCode : error),
  );

test("an operator whose password has ended logs in, chooses a new one and works on; a socket that was open is refused too", async () => {
  const { api, email, password, token } = await house.operator();
  expect(await codeOf(api.admin.jobs.list.query({}))).toBe("OK");
  await using socket = createSocketClient(house.url, { token });
  expect(await codeOf(socket.api.admin.jobs.list.query({}))).toBe("OK");
  await house.sql(`update users set password_set_at = now() - interval '24 hours' where email = '${email}'`);
  expect(await codeOf(api.admin.jobs.list.query({}))).toBe("PASSWORD_EXPIRED");
  await until(
    "the open socket to hear of it",
    async () => (await codeOf(socket.api.admin.jobs.list.query({}))) === "PASSWORD_EXPIRED",
  );
  const again = await createClient(house.url, null).auth.logIn.mutate({ email, password });
  const late = createClient(house.url, again.token);
  expect(await codeOf(late.admin.jobs.list.query({}))).toBe("PASSWORD_EXPIRED");
  expect(await codeOf(late.auth.socketTicket.mutate())).toBe("PASSWORD_EXPIRED");
  expect(await late.auth.me.query()).toMatchObject({ isOperator: true });
  const change = { currentPassword: password, newPassword: "another house to operate" };
  const renewed = await late.auth.changePassword.mutate(change);
  expect(await codeOf(createClient(house.url, renewed.token).admin.jobs.list.query({}))).toBe("OK");
  for (const former of [token, again.token])
    expect(await codeOf(createClient(house.url, former).admin.jobs.list.query({}))).toBe("UNAUTHORIZED");
});
