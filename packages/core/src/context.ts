import { randomInt } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { type Database, databaseErrorOf, type Transaction } from "@sewa/db";
import { sql } from "drizzle-orm";
import type { Actor } from "./actor.ts";
import type { Clock } from "./clock.ts";
import { assert } from "./errors.ts";
import type { Ids } from "./ids.ts";
import type { Keyring } from "./keyring.ts";

/** What the operator configures about the business. Read once at start. */
export interface CoreConfig {
  /** Domain under which apps get their addresses, for example `apps.example.com`. Not the portal's. */
  readonly appsDomain: string;
  /** `https` in production; the address that customers see is built from it. */
  readonly appsScheme: "http" | "https";
  /** Port in the address of an app; null for the scheme's own. */
  readonly appsPort: number | null;
  /** Base of the links in mails: the frontend's address, without a slash at the end. */
  readonly portalUrl: string;
  /** Currency of quotes and invoices. */
  readonly currency: string;
  /** Time zone of new organizations. */
  readonly timeZone: string;
  /** Hours after which an unpaid order is cancelled. */
  readonly orderTtlHours: number;
  /** Days before the end of a period at which the next one's invoice opens. */
  readonly renewalLeadDays: number;
  /** Local hour at which reminders go out. */
  readonly reminderHour: number;
  /** Share of the machines' memory and CPU that is never promised, in percent. */
  readonly memoryReservePercent: number;
  readonly cpuReservePercent: number;
  /** How many apps an organization may rent at once. */
  readonly maxInstancesPerOrganization: number;
  /** Domains to refuse for free plans and trials beside the known ones, and domains not to refuse; null refuses none. */
  readonly disposableAddresses: { readonly also: readonly string[]; readonly except: readonly string[] } | null;
  /** Hours after which operators have to choose a new password; null: never. */
  readonly operatorPasswordMaxAgeHours: number | null;
  /** True: new organizations live on a test clock. For development only. */
  readonly testClocks: boolean;
  /** Days for which the volumes of an orphan are kept, from when it was first seen. */
  readonly orphanVolumeGraceDays: number;
  /** Prefix of invoice numbers; the year of opening is added. */
  readonly invoiceSeries: string;
  /** Who asks for the money, as printed on invoices; null where the operator has not said it. */
  readonly seller: { readonly name: string; readonly address: string | null; readonly taxId: string | null } | null;
  /** Months after which audit entries are removed, up to a signed checkpoint; null keeps them for good. */
  readonly auditRetentionMonths: number | null;
  /** Months after which ledger transactions are removed, up to a signed opening of the balances; null keeps them for good. */
  readonly ledgerRetentionMonths: number | null;
  /** What room costs the operator in a month, in minor units of `currency`; null when nobody has said it. */
  readonly roomPrice: { readonly perCpuMinor: bigint; readonly perGibMinor: bigint } | null;
}

/** Told after commit about what happened; writes log lines and counters. Must not throw. */
export interface Observer {
  event(event: { readonly type: string; readonly fields: Readonly<Record<string, unknown>> }): void;
}

/** Somewhere else where people have accounts, by which they sign in here. What talks to it is the server's. */
export interface SignInProvider {
  /** In addresses, for example `github`. */
  readonly name: string;
  /** What people know it by. */
  readonly label: string;
  /** Names, together with a subject, one account there for good. */
  readonly issuer: string;
  /** It says when somebody last proved to be themselves there, so that doing it anew confirms a session. */
  readonly canConfirm: boolean;
}

export interface CoreDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly keyring: Keyring;
  readonly config: CoreConfig;
  readonly observer: Observer;
  /** Names of the payment providers that are connected; none unless told. Calls to them are the worker's. */
  readonly paymentProviders?: readonly string[];
  /** By which people may sign in beside their password; none unless told. */
  readonly signInProviders?: readonly SignInProvider[];
}

/** One open transaction, and what is true for its whole length. */
export interface Tx {
  readonly sql: Transaction;
  /**
   * Business time: the organization's test clock if it has one, else the process clock. Read together with the binding
   * of the tenant, so that one transaction has one time. Leases, sessions, limits and deadlines use `ctx.clock` instead.
   */
  readonly now: Date;
  readonly ctx: CoreContext;
  /** Run as the last statements, in the order of registration. */
  readonly beforeCommit: (() => Promise<void>)[];
  /** Run once the transaction has been committed; never on a rollback. */
  readonly afterCommit: (() => void)[];
}

/** Where a call comes from, as the audit keeps it. Personal. */
export interface Client {
  /** Network address, as far as the trusted proxies tell. */
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** Everything a verb needs to know about who asks, for whom and with what. */
export interface CoreContext extends CoreDependencies {
  readonly actor: Actor;
  /** Null where no client calls: in jobs and on the command line. */
  readonly client: Client | null;
  /** The tenant that transactions are bound to; null before log-in and for the house's own things. */
  readonly organizationId: string | null;
  readonly requestId: string | null;
  /** READ COMMITTED, bound to the organization. Throws what `work` throws, after a rollback. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Bound like a transaction, and every statement sees the same picture of the database, which the first one takes. */
  picture<T>(work: (sql: Transaction) => Promise<T>, accessMode?: "read only" | "read write"): Promise<T>;
  /** The same actor and request, bound to another organization. */
  forOrganization(organizationId: string): CoreContext;
  as(actor: Actor): CoreContext;
  /** The same work, on behalf of a request: what is recorded and enqueued names it. */
  forRequest(requestId: string | null): CoreContext;
}

export function createContext(
  dependencies: CoreDependencies,
  who: {
    readonly actor: Actor;
    readonly organizationId?: string | null;
    readonly requestId?: string | null;
    readonly client?: Client | null;
  },
): CoreContext {
  const organizationId = who.organizationId ?? null;
  const ctx: CoreContext = {
    ...dependencies,
    actor: who.actor,
    organizationId,
    requestId: who.requestId ?? null,
    client: who.client ?? null,
    transaction: (work) => runTransaction(ctx, work),
    picture: (work, accessMode = "read only") => takePicture(ctx, work, accessMode),
    forOrganization: (id) => createContext(dependencies, { ...who, organizationId: id }),
    as: (actor) => createContext(dependencies, { ...who, actor }),
    forRequest: (requestId) => createContext(dependencies, { ...who, requestId }),
  };
  return ctx;
}

/** The tenant of a transaction that must have one. */
export function organizationOf(tx: Tx): string {
  assert(tx.ctx.organizationId !== null, "the transaction is bound to an organization");
  return tx.ctx.organizationId;
}

const maxTries = 5;
const longestPauseMs = 50;
/**
 * Serialization failure and deadlock, and a statement that was made ready before a migration: the database has undone everything and
 * asks to be asked again.
 */
const retried = new Set(["40001", "40P01", "0A000"]);

/** Transactions do nothing but SQL, so one that was undone can be done again. */
async function runTransaction<T>(ctx: CoreContext, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryTransaction(ctx, work);
    } catch (error) {
      if (tries === maxTries || !retried.has(databaseErrorOf(error)?.code ?? "")) throw error;
      await setTimeout(randomInt(longestPauseMs) * tries);
    }
  }
}

async function tryTransaction<T>(ctx: CoreContext, work: (tx: Tx) => Promise<T>): Promise<T> {
  const afterCommit: (() => void)[] = [];
  const result = await ctx.db.drizzle.transaction(async (transaction) => {
    const tx: Tx = {
      sql: transaction,
      now: await bindTenant(transaction, ctx),
      ctx,
      beforeCommit: [],
      afterCommit,
    };
    const value = await work(tx);
    for (const hook of tx.beforeCommit) await hook();
    return value;
  });
  for (const hook of afterCommit) hook();
  return result;
}

async function takePicture<T>(
  ctx: CoreContext,
  work: (sql: Transaction) => Promise<T>,
  accessMode: "read only" | "read write",
): Promise<T> {
  return ctx.db.drizzle.transaction(
    async (transaction) => {
      await transaction.execute(sql.raw(bindings(ctx)));
      return work(transaction);
    },
    { isolationLevel: "repeatable read", accessMode },
  );
}

/** Says for whom the transaction is, and reads the organization's clock: without parameters, so that it travels with BEGIN. */
export async function bindTenant(transaction: Transaction, ctx: CoreContext): Promise<Date> {
  const { organizationId } = ctx;
  const clock = `select floor(extract(epoch from now_at) * 1000)::text as now_ms from test_clocks where organization_id = '${organizationId}'`;
  const statements = organizationId === null ? bindings(ctx) : `${bindings(ctx)}; ${clock}`;
  const rows = await transaction.execute<{ now_ms?: string }>(sql.raw(statements));
  const nowMs = rows[0]?.now_ms;
  return nowMs === undefined ? ctx.clock.now() : new Date(Number(nowMs));
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * What the policies of row-level security read. Bound to an organization, nobody sees another's rows. Bound to none, operators and the
 * house itself may read everything, and everybody else sees nothing of any customer. No queries: whoever wants a picture may lock first.
 */
function bindings({ organizationId, actor }: CoreContext): string {
  assert(organizationId === null || uuid.test(organizationId), "the id of an organization is a uuid");
  const isHouse = organizationId === null && (actor.type === "operator" || actor.type === "system");
  return `set local app.organization_id = '${organizationId ?? ""}'; set local app.scope = '${isHouse ? "house" : ""}'`;
}
