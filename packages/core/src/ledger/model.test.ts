import { databaseErrorOf } from "@sewa/db";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CoreContext } from "../context.ts";
import { brokenPromises, promises } from "../testing/broken-promises.ts";
import { givenCustomer } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { type Posting, post, type Reversal, verifyLedger } from "./index.ts";

const runs = 100 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
/** On average; shorter ones are what a failure shrinks to. */
const commandsPerRun = 50;

/** Which side makes it more, and whether it may be less than nothing. What cash is is compared with payments, of which there are none. */
const accounts = {
  receivable: { side: "debit", floor: 0 },
  revenue: { side: "credit", floor: 0 },
  bad_debt: { side: "debit", floor: 0 },
  wallet: { side: "credit", floor: 0 },
  goodwill: { side: "debit", floor: Number.NEGATIVE_INFINITY },
} as const;
type Account = keyof typeof accounts;
const names = Object.keys(accounts) as readonly Account[];

/** From where to where money goes; a transfer goes anywhere. */
const moves = {
  topUp: ["goodwill", "wallet"],
  charge: ["receivable", "revenue"],
  pay: ["wallet", "receivable"],
  refund: ["revenue", "wallet"],
} as const satisfies Readonly<Record<string, readonly [Account, Account]>>;

interface Command {
  readonly do: keyof typeof moves | "transfer" | "reverse";
  readonly amount: number;
  /** Few, so that many come twice: the second time it is posted already, whatever it says. */
  readonly key: number;
  /** Of a reversal: the key that it takes back. */
  readonly target: number;
  readonly debit: Account;
  readonly credit: Account;
  /** At the same time as the one before. */
  readonly joins: boolean;
  /** The same on so many connections at once. */
  readonly copies: number;
}

const command: fc.Arbitrary<Command> = fc.record({
  do: fc.constantFrom("topUp", "charge", "charge", "pay", "refund", "transfer", "reverse"),
  amount: fc.nat(60),
  key: fc.nat(80),
  target: fc.nat(80),
  debit: fc.constantFrom(...names),
  credit: fc.constantFrom(...names),
  joins: fc.boolean(),
  copies: fc.constantFrom(1, 1, 1, 2),
});
const connections = 8;

/** Those that run at the same time. A reversal runs by itself: beside what it takes back there would be two right answers. */
function groupsOf(commands: readonly Command[]): readonly (readonly Command[])[] {
  const groups: Command[][] = [];
  for (const each of commands) {
    const last = groups.at(-1);
    const busy = last?.reduce((sum, { copies }) => sum + copies, 0) ?? 0;
    const fits = each.joins && last !== undefined && busy + each.copies <= connections;
    const isApart = each.do === "reverse" || last?.some((other) => other.do === "reverse" || other.key === each.key);
    if (fits && isApart !== true) last.push(each);
    else groups.push([each]);
  }
  return groups;
}

const legsOf = (each: Command): readonly [Account, Account] =>
  each.do === "transfer" || each.do === "reverse" ? [each.debit, each.credit] : moves[each.do];

/** Balances, and what was posted: nothing but sums. */
class Model {
  readonly balances = new Map<Account, number>(names.map((name) => [name, 0]));
  readonly posted = new Map<string, readonly [Account, number][]>();
  readonly reversed = new Set<string>();

  /** What it does to balances; null when it is known, or takes back what nobody knows. */
  effectOf(each: Command): readonly [Account, number][] | null {
    if (each.do === "reverse") {
      const legs = this.posted.get(keyOf(each.target));
      if (legs === undefined || this.posted.has(undoKeyOf(each))) return null;
      return legs.map(([account, change]) => [account, -change]);
    }
    const [debit, credit] = legsOf(each);
    if (debit === credit || each.amount === 0 || this.posted.has(keyOf(each.key))) return null;
    const on = (account: Account, debited: number): [Account, number] => [
      account,
      accounts[account].side === "debit" ? debited : -debited,
    ];
    return [on(debit, each.amount), on(credit, -each.amount)];
  }

  apply(each: Command, effect: readonly [Account, number][]): void {
    for (const [account, change] of effect) this.balances.set(account, this.of(account) + change);
    this.posted.set(each.do === "reverse" ? undoKeyOf(each) : keyOf(each.key), effect);
    if (each.do === "reverse") this.reversed.add(keyOf(each.target));
  }

  of(account: Account): number {
    return this.balances.get(account) ?? 0;
  }
}

const keyOf = (key: number): string => `key ${key}`;
/** Two ways to take back the same, of which the second must be refused. */
const undoKeyOf = ({ target, amount }: Command): string => `undo ${target} ${amount % 2}`;

async function carryOut(ctx: CoreContext, each: Command): Promise<boolean> {
  const about = { kind: "payment_received", source: { type: "payment", id: ctx.ids.next() } } as const;
  const [debit, credit] = legsOf(each);
  const posting: Posting | Reversal =
    each.do === "reverse"
      ? { ...about, key: undoKeyOf(each), reversesKey: keyOf(each.target) }
      : { ...about, key: keyOf(each.key), debit, credit, amountMinor: BigInt(each.amount), currency: "IDR" };
  if (each.do !== "reverse" && debit === credit) return false;
  const refusals = ["ledger_accounts_balance", "ledger_transactions_reverses_key"];
  const tries = Array.from({ length: each.copies }, () =>
    ctx
      .transaction((tx) => Promise.resolve(post(tx, posting)))
      .then(
        () => true,
        (error: unknown) => {
          if (!refusals.includes(databaseErrorOf(error)?.constraint ?? "")) throw error;
          return false;
        },
      ),
  );
  return (await Promise.all(tries)).includes(true);
}

/** Whether it could be refused: it takes an account below its floor, at worst after everything else that went on. */
function couldBeRefused(model: Model, each: Command, together: readonly (readonly [Account, number][])[]): boolean {
  if (each.do === "reverse" && model.reversed.has(keyOf(each.target))) return true;
  return (model.effectOf(each) ?? []).some(([account, change]) => {
    const others = together.flat().filter(([other, amount]) => other === account && amount < 0);
    const least = model.of(account) + others.reduce((sum, [, amount]) => sum + amount, 0);
    return least + change < accounts[account].floor;
  });
}

async function balancesOf({ database }: TestCore, organizationId: string): Promise<ReadonlyMap<string, number>> {
  const rows = await database.drizzle.execute<{ kind: string; balance: string }>(
    sql`select kind, balance_minor::text as balance from ledger_accounts where organization_id = ${organizationId}`,
  );
  return new Map(rows.map(({ kind, balance }) => [kind, Number(balance)]));
}

test(`F4 random postings on one to eight connections: balances are those of a simple model, and M01 to M08 hold after each (${runs} runs)`, async () => {
  const seen = { posted: 0, refused: 0, repeated: 0, reversed: 0, together: 0 };
  await using core = await testCore();
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 2 * commandsPerRun, size: "max" }), async (commands) => {
      const { ctx, organizationId } = await givenCustomer(core.ctx);
      const model = new Model();
      for (const group of groupsOf(commands)) {
        const answers = await Promise.all(group.map(async (each) => ({ each, done: await carryOut(ctx, each) })));
        const effective = answers.filter(({ each }) => model.effectOf(each) !== null);
        const accepted = effective.filter(({ done }) => done).map(({ each }) => model.effectOf(each)!);
        for (const { each } of effective.filter(({ done }) => !done)) {
          expect({ each, wasRight: couldBeRefused(model, each, accepted) }).toEqual({ each, wasRight: true });
        }
        const before = effective.map(({ each, done }) => ({ each, done, effect: model.effectOf(each)! }));
        for (const { each, done, effect } of before) if (done) model.apply(each, effect);
        seen.posted += accepted.length;
        seen.refused += effective.length - accepted.length;
        seen.repeated += answers.length - effective.length;
        seen.reversed += effective.filter(({ each, done }) => done && each.do === "reverse").length;
        seen.together += Number(group.length > 1);

        const [balances, broken] = await Promise.all([
          balancesOf(core, organizationId),
          brokenPromises(core, promises(1, 8), { organizationId, now: core.clock.now() }),
        ]);
        expect(broken).toEqual([]);
        for (const name of names) {
          expect([name, balances.get(name) ?? 0]).toEqual([name, model.of(name)]);
          expect(model.of(name)).toBeGreaterThanOrEqual(accounts[name].floor);
        }
      }
      expect(await verifyLedger(core.ctx, organizationId)).toMatchObject({
        transactions: model.posted.size,
        fault: null,
      });
    }),
    { numRuns: runs },
  );
  // A property that met none of its cases would prove nothing.
  for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
}, 600_000);
