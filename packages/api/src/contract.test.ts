import { readFile } from "node:fs/promises";
import { domainErrorCodes, DomainError, permissionTable } from "@sewa/core";
import { expect, test } from "vitest";
import { appRouter } from "./app-router.ts";
import type { ProcedureMeta } from "./access.ts";
import { describeError } from "./error-shape.ts";
import { apiVersion } from "./version.ts";

interface ProcedureDefinition {
  readonly type: string;
  readonly inputs: readonly unknown[];
  readonly output?: unknown;
  readonly meta?: ProcedureMeta;
}

const procedures = Object.entries(appRouter._def.procedures).map(([path, procedure]) => ({
  path,
  definition: (procedure as unknown as { _def: ProcedureDefinition })._def,
}));

test.each(procedures)("$path declares who may call it, what it takes and what it answers", ({ path, definition }) => {
  const { meta, inputs, output } = definition;
  expect(meta?.access).toMatch(/^(public|user|organization|operator)$/);
  expect(inputs).toHaveLength(1);
  expect(output).toBeDefined();
  expect([null, ...Object.keys(permissionTable)]).toContain(meta?.permission);
  expect(meta?.access === "operator").toBe(path.startsWith("admin."));
  const needsPermission = meta?.access === "organization" || meta?.access === "operator";
  expect(needsPermission && meta.permission === null).toBe(false);
  // Plural nouns, verbs in camel case; never a getX.
  expect(path).toMatch(/^([a-z]+\.){1,2}[a-z][a-zA-Z]*$/);
});

test("whatever creates, charges or destroys takes an idempotency key, and only public procedures are open to everybody", () => {
  const takesKey = procedures.filter(({ definition }) => {
    const [input] = definition.inputs as {
      safeParse?: (value: unknown) => { error?: { issues: { path: unknown[] }[] } };
    }[];
    return input?.safeParse?.({}).error?.issues.some((issue) => issue.path[0] === "idempotencyKey") === true;
  });
  expect(takesKey.map(({ path }) => path)).toEqual([
    "orders.place",
    "subscriptions.renew",
    "subscriptions.cancelNow",
    "subscriptions.cancelAtPeriodEnd",
    "subscriptions.changePlan",
    "subscriptions.undoPlanChange",
    "subscriptions.undoCancel",
    "instances.start",
    "instances.stop",
    "instances.restart",
    "instances.plan",
    "instances.executePlan",
    "coupons.apply",
    "organizations.create",
    "organizations.members.remove",
    "organizations.invitations.create",
    "tokens.create",
    "payments.start",
    "payments.cancel",
    "wallet.topUp",
    "admin.payments.record",
    "admin.transactions.adjust",
    "admin.transactions.refund",
    "admin.instances.hold",
    "admin.instances.release",
    "admin.instances.restart",
    "admin.instances.remove",
  ]);
  const open = procedures.filter(({ definition }) => definition.meta?.access === "public").map(({ path }) => path);
  // Who is invited may have no account yet.
  const others = open.filter((path) => !/^(auth|offerings|system)\./.test(path));
  expect(others).toEqual(["organizations.invitations.get"]);
});

test.each(procedures.filter(({ definition }) => definition.type !== "subscription"))(
  "$path refuses keys that it does not know",
  ({ definition }) => {
    const [input] = definition.inputs as {
      safeParse: (value: unknown) => { success: boolean; error?: { issues: { code: string }[] } };
    }[];
    const parsed = input?.safeParse({ role: "admin" });
    expect(parsed?.success).toBe(false);
  },
);

test.each(domainErrorCodes)("the refusal %s of core reaches clients under its own code and is no defect", (code) => {
  const refusal = describeError(new DomainError(code, "In words."));
  expect(refusal).toMatchObject({ appCode: code, message: "In words." });
  expect(refusal.code).not.toBe("INTERNAL_SERVER_ERROR");
});

test("B20 what nobody expected says nothing but that it happened", () => {
  const cause = Object.assign(
    new Error("Failed query: select * from users where email = $1 params: ana@customer.test,hash"),
    { code: "42P01" },
  );
  for (const error of [cause, new Error("ssh key of the house"), "text", null]) {
    expect(describeError(error)).toEqual({
      code: "INTERNAL_SERVER_ERROR",
      appCode: "INTERNAL",
      message: "Internal server error",
      issues: [],
      retryAfterSeconds: null,
    });
  }
});

test("B21 a database that is away is worth another try", () => {
  const lost = new Error("Failed query: select 1", {
    cause: Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:5432"), { code: "ECONNREFUSED" }),
  });
  expect(describeError(lost)).toMatchObject({
    code: "SERVICE_UNAVAILABLE",
    appCode: "UNAVAILABLE",
    retryAfterSeconds: 2,
  });
  expect(describeError(lost).message).not.toContain("10.0.0.7");
});

test("the version that clients are told is the package's", async () => {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(apiVersion).toBe(manifest.version);
});
