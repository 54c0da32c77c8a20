import { instanceChanges } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { listOfferings } from "../catalog/index.ts";
import { addMs, dayMs, hourMs, manualClock } from "../clock.ts";
import { type CoreContext, createContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { reconcilePayment, startPayment } from "../payments/index.ts";
import {
  cancelAtPeriodEnd,
  cancelNow,
  reconcileSubscription,
  recordPayment,
  renewSubscription,
  undoCancel,
} from "../subscriptions/index.ts";
import type { FakeGateway } from "../testing/fake-gateway.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenCustomer, givenOrder } from "../testing/given.ts";
import type { TestCore } from "../testing/test-core.ts";
import { changePlan, loadPreview, previewPlanChange, reconcileChange, recordPreview } from "./index.ts";
import { usualPreview } from "./test-changes.ts";

/** When the process that does it dies, if it does. */
export type Death = "before the commit" | "after the commit" | null;

/** What can be done, to the app of that number, if there is one; `size` says which plan, or for how long. */
export interface Deed {
  readonly do: keyof typeof deeds;
  readonly app: number;
  readonly size: number;
  readonly dies: Death;
  /** Whoever asked asks again, with the same key. */
  readonly repeats: boolean;
}

class Killed extends Error {}

/** Dies in its first transaction. */
function dying(ctx: CoreContext, death: Death): CoreContext {
  if (death === null) return ctx;
  return {
    ...ctx,
    forOrganization: (id) => dying(ctx.forOrganization(id), death),
    async transaction(work) {
      await ctx.transaction(async (tx) => {
        const value = await work(tx);
        // After everything else that is written last.
        if (death === "before the commit") tx.beforeCommit.push(() => Promise.reject(new Killed()));
        return value;
      });
      throw new Killed();
    },
  };
}

export interface RentedRow extends Record<string, unknown> {
  subscription_id: string;
  instance_id: string;
  status: string;
  is_due: boolean;
  is_unsettled: boolean;
  is_ending: boolean;
  due_ms: string | null;
  open_invoice_id: string | null;
  open_minor: string | null;
}

type LifeParts = Pick<Life, "core" | "gateway" | "clock" | "house" | "ctx" | "organizationId">;

/** A customer with an own clock, so that what is late for one is not for another. */
export class Life {
  readonly clock: ReturnType<typeof manualClock>;
  readonly house: CoreContext;
  readonly core: TestCore;
  readonly gateway: FakeGateway;
  readonly ctx: CoreContext;
  readonly organizationId: string;

  private constructor({ core, gateway, clock, house, ctx, organizationId }: LifeParts) {
    this.core = core;
    this.gateway = gateway;
    this.clock = clock;
    this.house = house;
    this.ctx = ctx;
    this.organizationId = organizationId;
  }

  static async begin(core: TestCore, gateway: FakeGateway): Promise<Life> {
    const clock = manualClock(new Date("2026-03-02T03:00:00Z"));
    const house = createContext({ ...core.ctx, clock }, { actor: core.ctx.actor });
    return new Life({ core, gateway, clock, house, ...(await givenCustomer(house)) });
  }

  rented(): Promise<readonly RentedRow[]> {
    const now = this.clock.now().toISOString();
    return this.core.database.drizzle.execute<RentedRow>(sql`
      select s.id as subscription_id, i.id as instance_id, s.status, s.next_due_at <= ${now}::timestamptz as is_due,
        i.generation > 1 and i.observed_generation < i.generation as is_unsettled, s.cancel_at_period_end as is_ending,
        (extract(epoch from s.next_due_at) * 1000)::text as due_ms, v.id as open_invoice_id, v.total_minor::text as open_minor
      from subscriptions s join instances i on i.subscription_id = s.id
        left join invoices v on v.subscription_id = s.id and v.status = 'open'
      where s.organization_id = ${this.organizationId} order by s.id`);
  }

  /** Does what it says, if anything is there to do it to; false when it was refused. */
  async take(deed: Deed): Promise<boolean> {
    const rows = await this.rented();
    const alive = rows.filter(({ status }) => status !== "cancelled");
    const row = [...alive, ...rows][deed.app % Math.max(alive.length, 1)];
    const idempotencyKey = this.ctx.ids.next();
    const act = (death: Death): Promise<unknown> =>
      Promise.resolve(deeds[deed.do]({ life: this, row, rows, size: deed.size, idempotencyKey, death }));
    const isDone = await tried(act(deed.dies));
    return deed.dies !== null && deed.repeats ? tried(act(null)) : isDone;
  }

  /** What sweeps, workers and the cluster do until nothing is left to do. */
  async settle(): Promise<void> {
    for (let round = 0; round < 8; round += 1) {
      const waiting = (await this.rented()).filter((row) => row.is_due || row.is_unsettled);
      if (waiting.length === 0) return;
      for (const { subscription_id, instance_id, is_due, is_unsettled } of waiting) {
        if (is_due) await reconcileSubscription(this.house, subscription_id);
        if (!is_unsettled) continue;
        await provisionOnce(this.house, instance_id);
        await reconcileChange(this.house, instance_id);
        await reconcileSubscription(this.house, subscription_id);
      }
    }
    throw new Error("It does not come to rest.");
  }

  async look(instanceId: string): Promise<void> {
    const { drizzle } = this.core.database;
    for (const { id } of await drizzle
      .select({ id: instanceChanges.id })
      .from(instanceChanges)
      .where(eq(instanceChanges.instanceId, instanceId))) {
      if ((await loadPreview(this.house, id)) !== null) await recordPreview(this.house, id, usualPreview);
    }
  }

  async payInvoice(invoiceId: string, amountMinor: bigint, death: Death): Promise<void> {
    const reference = `BANK-${invoiceId}`;
    const payment = { invoiceId, amountMinor, currency: "IDR", reference, idempotencyKey: invoiceId };
    await recordPayment(dying(this.house.forOrganization(this.organizationId), death), payment);
  }
}

async function tried(work: Promise<unknown>): Promise<boolean> {
  try {
    return (await work) !== nothingToDo;
  } catch (error) {
    if (!(error instanceof DomainError) && !(error instanceof Killed)) throw error;
    return error instanceof Killed;
  }
}

const nothingToDo = Symbol("nothing to do");
export const planSlugs = ["free", "small", "late", "monthly"] as const;

const slugOf = (size: number): string => planSlugs[size % planSlugs.length] ?? "free";

interface Scene {
  readonly life: Life;
  readonly row: RentedRow | undefined;
  readonly rows: readonly RentedRow[];
  readonly size: number;
  readonly idempotencyKey: string;
  readonly death: Death;
}
type Asked = { readonly subscriptionId: string; readonly idempotencyKey: string };

/** To an app that is there. */
const toApp =
  (work: (ctx: CoreContext, asked: Asked) => Promise<unknown>) =>
  ({ life, row, idempotencyKey, death }: Scene): unknown =>
    row === undefined
      ? nothingToDo
      : work(dying(life.ctx, death), { subscriptionId: row.subscription_id, idempotencyKey });

const pass = (life: Life, ms: number): void => life.clock.set(addMs(life.clock.now(), ms));

export const deeds = {
  order: ({ life, rows, size, idempotencyKey, death }: Scene) =>
    rows.filter(({ status }) => status !== "cancelled").length >= 2
      ? nothingToDo
      : givenOrder(dying(life.ctx, death), { plan: slugOf(size), key: idempotencyKey }),
  pay: ({ life, row, death }: Scene) =>
    row?.open_invoice_id == null
      ? nothingToDo
      : life.payInvoice(row.open_invoice_id, BigInt(row.open_minor ?? 0), death),
  "fail to pay": async ({ life, row, idempotencyKey, death }: Scene) => {
    if (row?.open_invoice_id == null) return nothingToDo;
    const choice = { method: "checkout", invoiceId: row.open_invoice_id, idempotencyKey } as const;
    const { id } = await startPayment(dying(life.ctx, death), choice);
    const access = { providers: [life.gateway], signal: new AbortController().signal };
    await reconcilePayment(life.house, id, access);
    if (life.gateway.state(id) === "pending") life.gateway.expire(id);
    return reconcilePayment(life.house, id, access);
  },
  renew: toApp(renewSubscription),
  "cancel at the end": toApp(cancelAtPeriodEnd),
  undo: toApp(undoCancel),
  "cancel now": toApp((ctx, asked) => cancelNow(ctx, { ...asked, confirmName: "Status page" })),
  "change plan": async ({ life, row, size, idempotencyKey, death }: Scene) => {
    if (row === undefined || row.status !== "active") return nothingToDo;
    const { subscription_id: subscriptionId, instance_id: instanceId } = row;
    const slug = slugOf(size);
    const plans = (await listOfferings(life.ctx, {})).items.flatMap(({ plans }) => plans);
    const planId = plans.find((plan) => plan.slug === slug)?.id ?? "";
    const choice = { subscriptionId, planId, moment: "now" } as const;
    const { at, priceKey } = await previewPlanChange(life.ctx, choice);
    await changePlan(dying(life.ctx, death), { ...choice, at, priceKey, idempotencyKey });
    await life.look(instanceId);
    const asked = (await life.rented()).find((other) => other.subscription_id === subscriptionId);
    // Who does not pay for it keeps the plan.
    if (asked?.open_invoice_id != null && size % 2 === 0) {
      await life.payInvoice(asked.open_invoice_id, BigInt(asked.open_minor ?? 0), null);
    }
    await reconcileChange(life.house, instanceId);
    await life.look(instanceId);
    await provisionOnce(life.house, instanceId);
    await reconcileChange(life.house, instanceId);
    return reconcileSubscription(life.house, subscriptionId);
  },
  /** From an hour to 45 days. */
  pass: ({ life, size }: Scene) => pass(life, 1 + size < 24 ? (1 + size) * hourMs : (size - 22) * dayMs),
  /** To the next moment at which time brings something: expiry and deletion among them. */
  "pass until due": ({ life, row }: Scene) => {
    if (row?.due_ms == null) return nothingToDo;
    pass(life, Math.max(0, Math.ceil(Number(row.due_ms)) - life.clock.now().getTime()));
  },
  "pay late": ({ life, row, death, size }: Scene) => {
    if (row?.open_invoice_id == null) return nothingToDo;
    pass(life, (1 + size) * hourMs);
    return life.payInvoice(row.open_invoice_id, BigInt(row.open_minor ?? 0), death);
  },
} as const satisfies Readonly<Record<string, (scene: Scene) => unknown>>;
