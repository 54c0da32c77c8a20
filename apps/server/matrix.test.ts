import { randomUUID } from "node:crypto";
import { appRouter, type ProcedureMeta, transformer } from "@sewa/api";
import {
  isAllowed,
  isImpersonable,
  type MemberRole,
  memberRoles,
  type Permission,
  scopeOf,
  toPublicId,
} from "@sewa/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { narrowed, rows, type Things } from "./test-matrix-rows.ts";
import { type MatrixWorld, startMatrixWorld, type Who } from "./test-matrix.ts";

let world: MatrixWorld;
let before: Readonly<Record<string, unknown>>;
let keys = 0;
beforeAll(async () => {
  world = await startMatrixWorld();
  before = await world.digest();
});
afterAll(() => world[Symbol.asyncDispose]());

interface Definition {
  readonly type: "query" | "mutation" | "subscription";
  readonly meta: ProcedureMeta;
  readonly inputs: readonly { safeParse(value: unknown): { success: boolean } }[];
}

const procedures = Object.entries(appRouter._def.procedures)
  .map(([path, procedure]) => ({ path, ...(procedure as unknown as { _def: Definition })._def }))
  .filter(({ meta }) => meta.access !== "public");

const malformed = Object.fromEntries(
  ["organizationId", "userId", "invitationId", "orderId", "subscriptionId", "instanceId", "operationId", "changeId"]
    .concat(["tokenId", "invoiceId", "paymentId", "methodId", "transactionId", "bookedPaymentId"])
    .map((name) => [name, "' or 1=1"]),
) as unknown as Things;

/** Of the same shape as the victim's, and of nobody. */
function unknownThings(): Things {
  const next = (): string => randomUUID();
  return {
    organizationId: toPublicId("organization", next()),
    userId: toPublicId("user", next()),
    invitationId: toPublicId("invitation", next()),
    tokenId: toPublicId("token", next()),
    orderId: toPublicId("order", next()),
    subscriptionId: toPublicId("subscription", next()),
    instanceId: toPublicId("instance", next()),
    operationId: toPublicId("operation", next()),
    changeId: toPublicId("change", next()),
    invoiceId: toPublicId("invoice", next()),
    paymentId: toPublicId("intent", next()),
    methodId: toPublicId("method", next()),
    transactionId: toPublicId("transaction", next()),
    bookedPaymentId: toPublicId("payment", next()),
  };
}

interface Answer {
  readonly appCode: string;
  readonly code: string;
  /** All of it, but for the request's own id. */
  readonly text: string;
}

function inputOf(path: string, things: Things): unknown {
  keys += 1;
  const row = rows[path];
  if (row === undefined) throw new Error(`${path} has no row in test-matrix-rows.ts: what does a call of it name?`);
  return row(things, { planId: world.planId, idempotencyKey: `matrix-${keys}` });
}

/** Over real HTTP; of a stream, what it sends first. */
async function call(path: string, type: Definition["type"], who: Who, input: unknown): Promise<Answer> {
  const body = JSON.stringify(transformer.serialize(input));
  const headers = {
    ...(who.token !== null && { authorization: `Bearer ${who.token}` }),
    ...(who.organizationId !== undefined && { "sewa-organization": who.organizationId }),
  };
  const url = `${world.house.url}/trpc/${path}`;
  const hurry = new AbortController();
  const signal = AbortSignal.any([hurry.signal, AbortSignal.timeout(10_000)]);
  const response =
    type === "mutation"
      ? await fetch(url, { method: "POST", body, headers: { ...headers, "content-type": "application/json" }, signal })
      : await fetch(`${url}?input=${encodeURIComponent(body)}`, {
          headers: type === "subscription" ? { ...headers, accept: "text/event-stream" } : headers,
          signal,
        });
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const text = isStream ? await firstOf(response) : await response.text();
  hurry.abort();
  const appCode = /"appCode":"(\w+)"/.exec(text)?.[1] ?? "OK";
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? "OK";
  return { appCode, code, text: text.replace(/"requestId":"[^"]+"/, '"requestId":""') };
}

/** The first thing that a stream has to say, which is not that it is open. */
async function firstOf(response: Response): Promise<string> {
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    const said = text.split("\n\n").find((part) => /^data: /m.test(part) && !part.startsWith("event: connected"));
    if (said !== undefined) return said;
  }
  return text;
}

const lacking = (permission: string | null): readonly MemberRole[] =>
  memberRoles.filter((role) => permission !== null && !mayRole(role, permission));

function mayRole(role: MemberRole, permission: string): boolean {
  return isAllowed({ type: "user", userId: "", role }, permission as Permission);
}

/** Whether a call of it names something that belongs to one organization. */
const namesThings = (path: string): boolean => {
  const shared = { planId: "", idempotencyKey: "" };
  const [one, other] = [malformed, { ...unknownThings() }].map((things) => rows[path]?.(things, shared));
  return JSON.stringify(transformer.serialize(one)) !== JSON.stringify(transformer.serialize(other));
};

const untouched = async (): Promise<void> => expect(await world.digest()).toEqual(before);

test("every procedure that is not open to everybody has a row, and each row an input that is let in", () => {
  expect(Object.keys(rows).toSorted()).toEqual(procedures.map(({ path }) => path).toSorted());
  for (const { path, inputs } of procedures) {
    const parsed = inputs[0]?.safeParse(inputOf(path, world.victim));
    expect({ path, parsed }).toMatchObject({ path, parsed: { success: true } });
  }
});

test.each(procedures)("$path is for nobody who is not logged in, or whose session has ended", async (procedure) => {
  const { path, type, meta } = procedure;
  const { victim } = world;
  const ended = meta.access === "operator" ? world.expiredOperator : world.expired;
  for (const who of [{ token: null, organizationId: victim.organizationId }, ended]) {
    expect(await call(path, type, who, inputOf(path, victim))).toMatchObject({ appCode: "UNAUTHORIZED" });
  }
  for (const who of world.endedPrograms) {
    expect(await call(path, type, who, inputOf(path, victim))).toMatchObject({ appCode: "UNAUTHORIZED" });
  }
  const suspended = meta.access === "operator" ? world.suspendedOperator : world.suspended;
  expect(await call(path, type, suspended, inputOf(path, victim))).toMatchObject({ appCode: "ACCOUNT_SUSPENDED" });
  await untouched();
});

test.each(procedures.filter(({ meta }) => meta.isForExpiredPasswords !== true))(
  "$path is refused to an operator whose password has ended",
  async ({ path, type }) => {
    const answer = await call(path, type, world.overdueOperator, inputOf(path, world.victim));
    expect(answer).toMatchObject({ appCode: "PASSWORD_EXPIRED", code: "FORBIDDEN" });
    await untouched();
  },
);

test("who has to choose a new password can do that, and see who they are, and nothing else", () => {
  const open = procedures.filter(({ meta }) => meta.isForExpiredPasswords === true).map(({ path }) => path);
  expect(open).toEqual(["auth.me", "auth.changePassword"]);
});

test.each(procedures.filter(({ meta }) => meta.access !== "operator"))(
  "$path speaks for no organization to who is no member: a foreign, an unknown and a malformed one are the same",
  async ({ path, type }) => {
    const { victim, stranger, operator, strangersProgram } = world;
    for (const { token } of [stranger, operator, strangersProgram]) {
      const named = [victim.organizationId, unknownThings().organizationId, malformed.organizationId];
      const answers = await Promise.all(
        named.map((organizationId) => call(path, type, { token, organizationId }, inputOf(path, victim))),
      );
      expect(answers[0]).toMatchObject({ appCode: "NOT_FOUND" });
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    }
    await untouched();
  },
);

test.each(procedures.filter(({ path, meta }) => meta.access !== "operator" && namesThings(path)))(
  "$path finds nothing of another organization: a foreign, a former, an unknown and a malformed id are the same",
  async ({ path, type }) => {
    const { victim, stranger, operator, formerUserId } = world;
    for (const who of [stranger, operator]) {
      const things = [victim, { ...unknownThings(), userId: formerUserId }, unknownThings(), malformed];
      const answers = await Promise.all(things.map((each) => call(path, type, who, inputOf(path, each))));
      const isList = narrowed.has(path);
      // A list says nothing of what narrows it; what is no id at all it may refuse.
      for (const answer of isList ? answers.slice(0, 3) : answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]).toMatchObject({ appCode: isList ? "OK" : "NOT_FOUND" });
      expect(answers[0]?.text.includes('"items":[]')).toBe(isList);
    }
    await untouched();
  },
);

test.each(procedures.filter(({ type, path }) => type === "query" && !path.startsWith("admin.") && !namesThings(path)))(
  "$path tells a stranger of nothing but their own",
  async ({ path, type }) => {
    const { victim, stranger } = world;
    const { text } = await call(path, type, stranger, inputOf(path, victim));
    for (const id of Object.values(victim) as readonly string[]) expect(text).not.toContain(id);
  },
);

test.each(procedures)("B46 $path is refused to each role that lacks the permission", async ({ path, type, meta }) => {
  const { victim, members } = world;
  for (const role of lacking(meta.permission)) {
    const answer = await call(path, type, members[role], inputOf(path, victim));
    expect({ role, ...answer }).toMatchObject({ role, appCode: "FORBIDDEN", code: "FORBIDDEN" });
  }
  await untouched();
});

const scopeNeeded = (permission: string | null) => (permission === null ? null : scopeOf(permission as Permission));

test.each(procedures)("B38 $path is refused to a token without its scope", async ({ path, type, meta }) => {
  const { victim, program, programWithout, operatorsProgram } = world;
  const scope = scopeNeeded(meta.permission);
  // No scope is enough where there is none, not even all of them.
  const who = scope !== null ? programWithout[scope] : meta.access === "operator" ? operatorsProgram : program;
  const answer = await call(path, type, who, inputOf(path, victim));
  expect(answer).toMatchObject({ appCode: "TOKEN_SCOPE", code: "FORBIDDEN" });
  await untouched();
});

test.each(procedures.filter(({ type, meta }) => type !== "mutation" && scopeNeeded(meta.permission) !== null))(
  "$path is open to a token with its scope",
  async ({ path, type }) => {
    const { appCode } = await call(path, type, world.program, inputOf(path, world.victim));
    expect(["UNAUTHORIZED", "FORBIDDEN", "TOKEN_SCOPE", "INTERNAL"]).not.toContain(appCode);
  },
);

test.each(procedures.filter(({ type, meta }) => type !== "mutation" && meta.access !== "operator"))(
  "$path is open to each role that has the permission",
  async ({ path, type, meta }) => {
    const { victim, members } = world;
    for (const role of memberRoles.filter((each) => meta.permission === null || mayRole(each, meta.permission))) {
      const { appCode } = await call(path, type, members[role], inputOf(path, victim));
      expect(["UNAUTHORIZED", "FORBIDDEN", "INTERNAL", "ACCOUNT_SUSPENDED"]).not.toContain(appCode);
    }
  },
);

test.each(
  procedures
    .filter(({ path }) => path.startsWith("admin.") && !namesThings(path))
    .filter(({ type }) => type === "query"),
)("$path is open to an operator", async ({ path, type }) => {
  const { appCode } = await call(path, type, world.operator, inputOf(path, world.victim));
  expect(["OK", "NOT_FOUND"]).toContain(appCode);
});

const isForImpersonators = ({ permission, access }: ProcedureMeta): boolean =>
  access === "organization" && permission !== null && isImpersonable(permission as Permission);

test.each(procedures.filter(({ meta }) => !isForImpersonators(meta)))(
  "$path is refused to an operator who acts as a customer, and that is written down",
  async ({ path, type }) => {
    const refused = `select count(*)::int as count from operator_audit_entries where action = 'impersonation.refused'
      and actor like 'user:%:operator:%' and after ->> 'procedure' = '${path}'`;
    expect(await world.house.sql(refused)).toEqual([{ count: 0 }]);
    const answer = await call(path, type, world.impersonating, inputOf(path, world.victim));
    expect(answer).toMatchObject({ appCode: "NOT_WHILE_IMPERSONATING", code: "FORBIDDEN" });
    expect(await world.house.sql(refused)).toEqual([{ count: 1 }]);
    await untouched();
  },
);

test.each(procedures.filter(({ type, meta }) => type !== "mutation" && isForImpersonators(meta)))(
  "$path is open to an operator who acts as a customer",
  async ({ path, type }) => {
    const { appCode } = await call(path, type, world.impersonating, inputOf(path, world.victim));
    expect(["UNAUTHORIZED", "FORBIDDEN", "NOT_WHILE_IMPERSONATING", "INTERNAL"]).not.toContain(appCode);
  },
);
