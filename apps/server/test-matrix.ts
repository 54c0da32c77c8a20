import type { AppRouter } from "@sewa/api";
import {
  createSandboxProvider,
  fromPublicId,
  type IdKind,
  type MemberRole,
  memberRoles,
  newApiToken,
  toPublicId,
  type TokenScope,
  tokenScopeNames,
} from "@sewa/core";
import type { TRPCClient } from "@trpc/client";
import type { Things } from "./test-matrix-rows.ts";
import { createClient, type Customer, startTestHouse, type TestHouse } from "./test-house.ts";

/** Who calls: by what they hold, and for whom they want to act. */
export interface Who {
  readonly token: string | null;
  readonly organizationId?: string;
}

/** A house with an organization that has one of everything, and everybody who might want at it. */
export interface MatrixWorld extends AsyncDisposable {
  readonly house: TestHouse;
  readonly victim: Things;
  readonly planId: string;
  /** Of each role one member of the victim, who names it. */
  readonly members: Readonly<Record<MemberRole, Who>>;
  /** The owner of another organization. */
  readonly stranger: Who;
  /** No member of the victim either. */
  readonly operator: Who;
  /** A member of the victim (and an operator) whose account is suspended. */
  readonly suspended: Who;
  readonly suspendedOperator: Who;
  /** An operator whose password is older than the house allows. */
  readonly overdueOperator: Who;
  /** The owner of the victim, and an operator, by sessions that have ended. */
  readonly expired: Who;
  readonly expiredOperator: Who;
  /** A token of the victim's owner with every scope, and for each scope one with all others. */
  readonly program: Who;
  readonly programWithout: Readonly<Record<TokenScope, Who>>;
  /** The same with every scope, which open nothing (any more): revoked, expired, not good from here. */
  readonly endedPrograms: readonly Who[];
  /** An operator who acts as the victim's owner. */
  readonly impersonating: Who;
  /** With every scope, of the owner of another organization and of an operator. */
  readonly strangersProgram: Who;
  readonly operatorsProgram: Who;
  /** Of who was a member once: an id that is known and gone. */
  readonly formerUserId: string;
  /** Every row of every table that belongs to the victim. */
  digest(): Promise<Readonly<Record<string, unknown>>>;
}

const limits = {
  callsPerMinutePerAddress: 1e6,
  callsPerMinutePerSession: 1e6,
  streamsPerSession: 1e4,
  slowTimerMs: 60_000,
};
const provider = createSandboxProvider({
  url: "http://127.0.0.1:9",
  apiKey: "key",
  webhookSecrets: ["webhook-secret-1"],
});

export async function startMatrixWorld(): Promise<MatrixWorld> {
  const house = await startTestHouse({ limits, providers: [provider] }, { OPERATOR_PASSWORD_MAX_AGE_HOURS: "24" });
  try {
    const owner = await house.customer("Victim");
    const operator = await house.operator();
    const plan = await planOf(owner.api);
    const { organization } = await owner.api.auth.me.query();
    const organizationId = organization.id;
    const members = { owner: { token: owner.token, organizationId } } as Record<MemberRole, Who>;
    const join = async (role: MemberRole): Promise<Who & { readonly email: string; readonly userId: string }> => {
      const person = await house.customer(role);
      const { user: found } = await person.api.auth.me.query();
      const [uuid, home] = [uuidOf("user", found.id), uuidOf("organization", organizationId)];
      await house.sql(`insert into members (organization_id, user_id, role) values ('${home}', '${uuid}', '${role}')`);
      return { token: person.token, organizationId, email: person.email, userId: found.id };
    };
    for (const role of memberRoles) if (role !== "owner") members[role] = await join(role);
    const [suspended, former, target] = [await join("owner"), await join("admin"), await join("developer")];
    const key = { userId: former.userId, idempotencyKey: "matrix-remove" };
    await owner.api.organizations.members.remove.mutate(key);
    const victim = { ...(await furnish(house, owner, operator, plan)), organizationId, userId: target.userId };
    const stranger = await house.customer("Stranger");
    await furnish(house, stranger, operator, plan);

    const program = await giveProgram(owner);
    const programWithout = {} as Record<TokenScope, Who>;
    for (const scope of tokenScopeNames) {
      programWithout[scope] = await giveProgram(owner, { scopes: tokenScopeNames.filter((other) => other !== scope) });
    }
    const [revoked, expired] = [await giveProgram(owner), newApiToken()];
    await owner.api.tokens.revoke.mutate({ tokenId: revoked.tokenId });
    await house.sql(
      `insert into api_tokens (id, organization_id, user_id, name, hash, hint, scopes, allowed_networks, expires_at)
        select '${house.core.ids.next()}', organization_id, user_id, name, '${expired.hash}', '${expired.hint}', scopes,
          allowed_networks, now() - interval '1 second' from api_tokens where id = '${uuidOf("token", revoked.tokenId)}'`,
    );
    const elsewhere = await giveProgram(owner, { allowedNetworks: ["192.0.2.0/24", "2001:db8::/32"] });
    const endedPrograms = [revoked, { token: expired.token }, elsewhere];
    const [strangersProgram, operatorsProgram] = [await giveProgram(stranger), await giveProgram(operator)];
    const { user: ownUser } = await owner.api.auth.me.query();
    const { token: impersonating } = await operator.api.admin.users.impersonate.mutate({
      userId: ownUser.id,
      organizationId,
      reason: "As the matrix wants it.",
      minutes: 60,
    });
    await house.sql(`update users set suspended_at = now() where email = '${suspended.email}'`);
    const again = (who: Customer): Promise<{ token: string }> =>
      createClient(house.url, null).auth.logIn.mutate({ email: who.email, password: who.password });
    const [ended, endedOperator] = [await again(owner), await again(operator)];
    await house.sql(
      `update sessions set expires_at = now() - interval '1 second' where id in
        (encode(sha256('${ended.token}'), 'hex'), encode(sha256('${endedOperator.token}'), 'hex'))`,
    );
    const fallen = await house.customer("Fallen");
    await house.sql(`update users set is_operator = true, suspended_at = now() where email = '${fallen.email}'`);
    const overdue = await house.customer("Overdue");
    await house.sql(
      `update users set is_operator = true, password_set_at = now() - interval '24 hours' where email = '${overdue.email}'`,
    );
    const home = uuidOf("organization", organizationId);
    const tables = await house.sql(
      `select c.table_name as name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where c.column_name = 'organization_id' and c.table_schema = 'public' and t.table_type = 'BASE TABLE' order by 1`,
    );
    const sums = [...tables.map(({ name }) => [String(name), "organization_id"]), ["organizations", "id"]].map(
      ([table, column]) =>
        `select '${table}' as name, count(*) || ' ' || coalesce(md5(string_agg(t.text, chr(10) order by t.text)), '') as sum
          from (select (to_jsonb(row) - 'last_used_at' - 'last_used_address')::text as text from ${table} row where ${column} = '${home}') t`,
    );
    return {
      house,
      victim,
      planId: plan.id,
      members,
      stranger: { token: stranger.token },
      operator: { token: operator.token },
      suspended: { token: suspended.token, organizationId },
      suspendedOperator: { token: fallen.token },
      overdueOperator: { token: overdue.token },
      expired: { token: ended.token, organizationId },
      expiredOperator: { token: endedOperator.token },
      program,
      programWithout,
      endedPrograms,
      impersonating: { token: impersonating, organizationId },
      strangersProgram,
      operatorsProgram,
      formerUserId: former.userId,
      digest: async () =>
        Object.fromEntries((await house.sql(sums.join(" union all "))).map(({ name, sum }) => [name, sum])),
      [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
    };
  } catch (error) {
    await house[Symbol.asyncDispose]();
    throw error;
  }
}

async function giveProgram(
  { api }: Customer,
  wish: { readonly scopes?: readonly TokenScope[]; readonly allowedNetworks?: readonly string[] } = {},
): Promise<Who & { readonly tokenId: string }> {
  const { id: tokenId, token } = await api.tokens.create.mutate({
    name: "Program",
    scopes: tokenScopeNames,
    expiresInDays: 30,
    idempotencyKey: `matrix-${crypto.randomUUID()}`,
    ...wish,
  });
  return { token, tokenId };
}

async function planOf(api: TRPCClient<AppRouter>): Promise<{ readonly id: string }> {
  const { items } = await api.offerings.list.query({});
  const plan = items.flatMap(({ plans }) => plans).find(({ slug }) => slug === "small");
  if (plan === undefined) throw new Error("The catalog has no small plan.");
  return plan;
}

/** One of everything that a customer can have. */
async function furnish(
  house: TestHouse,
  { api, email }: Customer,
  { api: admin }: Customer,
  plan: { readonly id: string },
): Promise<Omit<Things, "organizationId" | "userId">> {
  const { organization } = await api.auth.me.query();
  const { id: organizationId } = organization;
  const key = (what: string): string => `matrix-${what}-${email.replace(/\W/g, "-")}`;
  const order = { planId: plan.id, parameters: {}, name: "Status page" };
  const place = async (what: string) => {
    const { priceKey } = await api.orders.quote.query({ planId: plan.id, parameters: {} });
    return api.orders.place.mutate({ ...order, priceKey, idempotencyKey: key(what) });
  };
  const { id: orderId, subscription } = await place("order");
  const { id: subscriptionId, instanceId, nextInvoice } = subscription;
  const invoiceId = nextInvoice?.id ?? "";
  const amount = { amountMinor: 50_000n, currency: "IDR" };
  const paid = { organizationId, invoiceId, amount, reference: key("paid"), idempotencyKey: key("paid") };
  await admin.admin.payments.record.mutate(paid);
  const gift = { amountMinor: 10_000n, currency: "IDR" };
  await admin.admin.transactions.adjust.mutate({
    organizationId,
    amount: gift,
    reason: "A gift.",
    idempotencyKey: key("gift"),
  });
  const open = await place("second");
  const started = await api.payments.start.mutate({
    invoiceId: open.subscription.nextInvoice?.id ?? "",
    method: "checkout",
    idempotencyKey: key("start"),
  });
  const invitation = await api.organizations.invitations.create.mutate({
    email: `guest-${email}`,
    role: "viewer",
    idempotencyKey: key("invite"),
  });
  const { id: tokenId } = await api.tokens.create.mutate({
    name: "Thing",
    scopes: ["read"],
    expiresInDays: 30,
    idempotencyKey: key("token"),
  });
  const uuid = uuidOf("organization", organizationId);
  const one = async (query: string): Promise<string> => String((await house.sql(query))[0]?.["id"]);
  const [transaction] = (await api.transactions.list.query({})).items;
  const [operation] = (await api.operations.list.query({})).items;
  const methodId = house.core.ids.next();
  await house.sql(
    `insert into payment_methods (id, organization_id, provider, label, fingerprint, key_id, sealed, saved_at)
      values ('${methodId}', '${uuid}', 'sandbox', 'Visa 4242', '${methodId}', 'test', 'sealed', now())`,
  );
  const change = await api.instances.plan.mutate({
    instanceId,
    change: { kind: "deprovision" },
    idempotencyKey: key("plan"),
  });
  const bookedPaymentId = await one(`select id from payments where organization_id = '${uuid}' limit 1`);
  return {
    invitationId: invitation.id,
    tokenId,
    orderId,
    subscriptionId,
    instanceId,
    operationId: operation?.id ?? "",
    changeId: change.id,
    invoiceId: open.subscription.nextInvoice?.id ?? "",
    paymentId: started.id,
    methodId: toPublicId("method", methodId),
    transactionId: transaction?.id ?? "",
    bookedPaymentId: toPublicId("payment", bookedPaymentId),
  };
}

function uuidOf(kind: IdKind, id: string): string {
  const uuid = fromPublicId(kind, id);
  if (uuid === null) throw new Error(`${id} is no id.`);
  return uuid;
}
