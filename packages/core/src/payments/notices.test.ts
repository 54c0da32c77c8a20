import { paymentIntents, paymentNotices } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CoreContext } from "../context.ts";
import { listBalances } from "../ledger/index.ts";
import { createFakeGateway, type FakeGateway } from "../testing/fake-gateway.ts";
import { givenCustomer } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { receiveNotice, reconcilePayment, startTopUp } from "./index.ts";

const runs = 500 * Number(process.env["PROPERTY_FACTOR"] ?? 1);

/** What happens to a payment at the gateway, which tells of each. It may also be paid after it has expired, as banks do. */
type Happening = "paid" | "overpaid" | "expired" | "nothing";
type Step =
  | { readonly do: "happen"; readonly payment: number; readonly what: Happening }
  /** Any event that there has been, also one that was delivered before. */
  | { readonly do: "deliver"; readonly event: number; readonly times: number }
  | { readonly do: "work" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("happen" as const),
    payment: fc.nat(1),
    what: fc.constantFrom("paid" as const, "overpaid", "expired", "nothing"),
  }),
  fc.record({ do: fc.constant("deliver" as const), event: fc.nat(9), times: fc.integer({ min: 1, max: 3 }) }),
  fc.constant({ do: "work" as const }),
);
const story = fc.record({
  amounts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 2 }),
  steps: fc.array(step, { maxLength: 12 }),
  /** The order in which comes what was not delivered by then: a gateway repeats itself until somebody listens. */
  order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], { minLength: 14 }),
});

/** Expired, and paid all the same, which nobody is told of before the end. */
const paidLate = {
  amounts: [5],
  steps: [
    { do: "happen", payment: 0, what: "expired" },
    { do: "deliver", event: 1, times: 2 },
    { do: "work" },
    { do: "happen", payment: 0, what: "paid" },
  ] satisfies Step[],
  order: [2, 1, 0],
};

type Notice = ReturnType<FakeGateway["notice"]>;
const overpaidMinor = 7n;

/** One customer's story. What was told in which order, and how often, is nowhere in what is expected. */
class Telling {
  readonly core: TestCore;
  readonly ctx: CoreContext;
  readonly gateway = createFakeGateway();
  readonly events: Notice[] = [];
  readonly told = new Set<Notice>();
  /** What the gateway took for each payment; the model. */
  readonly taken = new Map<string, bigint | "expired" | null>();

  constructor(core: TestCore, ctx: CoreContext) {
    this.core = core;
    this.ctx = ctx;
  }

  async begin(amountMinor: bigint): Promise<void> {
    const input = { method: "checkout", amountMinor, currency: "IDR", idempotencyKey: this.ctx.ids.next() } as const;
    const { id } = await startTopUp(this.ctx, input);
    this.taken.set(id, null);
    await this.look(id);
    this.tell(id);
  }

  /** Each gateway counts its own events, and here is one for every customer. */
  tell(id: string): void {
    this.events.push(this.gateway.notice(id, { eventId: this.ctx.ids.next() }));
  }

  happen(id: string, what: Happening, amountMinor: bigint): void {
    const before = this.taken.get(id) ?? null;
    // Money that was taken is not taken again, and does not expire.
    if (typeof before === "bigint" || (what === "expired" && before !== null)) return;
    if (what === "expired") {
      this.gateway.expire(id);
      this.taken.set(id, "expired");
    } else if (what !== "nothing") {
      const received = amountMinor + (what === "overpaid" ? overpaidMinor : 0n);
      this.gateway.pay(id, received);
      this.taken.set(id, received);
    }
    this.tell(id);
  }

  async deliver(notice: Notice, times: number): Promise<void> {
    this.told.add(notice);
    await Promise.all(Array.from({ length: times }, () => receiveNotice(this.core.ctx, this.gateway, notice)));
  }

  async look(id: string): Promise<void> {
    await reconcilePayment(this.core.ctx, id, { providers: [this.gateway], signal: new AbortController().signal });
  }

  /** Does what notices have asked for, two workers at a time. */
  async work(): Promise<void> {
    const jobs = await this.core.database.drizzle.execute<{ id: string }>(sql`
      delete from graphile_worker._private_jobs j using graphile_worker._private_tasks t
      where t.id = j.task_id and t.identifier = 'payment:reconcile' returning j.payload ->> 'intentId' as id`);
    for (const { id } of jobs) await Promise.all([this.look(id), this.look(id)]);
  }
}

test(`F10 notices in any order and number end in what the gateway has taken, as if each had been told once and in order (${runs} runs)`, async () => {
  const seen = { paid: 0, expired: 0, late: 0, repeated: 0 };
  await using core = await testCore({}, { paymentProviders: ["sandbox"] });
  await fc.assert(
    fc.asyncProperty(story, async ({ amounts, steps, order }) => {
      const { ctx, organizationId } = await givenCustomer(core.ctx);
      const telling = new Telling(core, ctx);
      for (const amount of amounts) await telling.begin(BigInt(amount));
      const ids = [...telling.taken.keys()];
      for (const each of steps) {
        if (each.do === "work") await telling.work();
        else if (each.do === "deliver") {
          const notice = telling.events[each.event % telling.events.length]!;
          seen.repeated += Number(telling.told.has(notice) || each.times > 1);
          await telling.deliver(notice, each.times);
        } else {
          const index = each.payment % ids.length;
          seen.late += Number(telling.taken.get(ids[index]!) === "expired" && each.what === "paid");
          telling.happen(ids[index]!, each.what, BigInt(amounts[index]!));
        }
      }
      for (const index of order) {
        const notice = telling.events[index];
        if (notice !== undefined && !telling.told.has(notice)) await telling.deliver(notice, 1);
      }
      await telling.work();

      const taken = [...telling.taken.values()];
      const sum = taken.reduce<bigint>((total, each) => total + (typeof each === "bigint" ? each : 0n), 0n);
      const balances = await ctx.transaction((tx) => listBalances(tx));
      const balanceOf = (kind: string) => balances.find((each) => each.kind === kind)?.balanceMinor ?? 0n;
      expect([balanceOf("wallet"), balanceOf("cash"), telling.gateway.heldMinor]).toEqual([sum, sum, sum]);
      const { drizzle } = core.database;
      const intents = await drizzle
        .select({ id: paymentIntents.id, status: paymentIntents.status, receivedMinor: paymentIntents.receivedMinor })
        .from(paymentIntents)
        .where(sql`${paymentIntents.organizationId} = ${organizationId}`);
      const expected = [...telling.taken].map(([id, each]) => ({
        id,
        status: typeof each === "bigint" ? "succeeded" : (each ?? "pending"),
        receivedMinor: typeof each === "bigint" ? each : null,
      }));
      expect(new Set(intents)).toEqual(new Set(expected));
      const notices = await drizzle
        .select({ appliedAt: paymentNotices.appliedAt })
        .from(paymentNotices)
        .where(sql`${paymentNotices.subjectId} in ${ids}`);
      expect(notices.filter(({ appliedAt }) => appliedAt !== null)).toHaveLength(telling.events.length);
      seen.paid += taken.filter((each) => typeof each === "bigint").length;
      seen.expired += taken.filter((each) => each === "expired").length;
    }),
    { numRuns: runs, examples: [[paidLate]] },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
}, 600_000);
