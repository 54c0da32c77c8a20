import {
  type PaymentProvider,
  type PaymentRequest,
  ProviderRefused,
  ProviderUnavailable,
  type RefundRequest,
} from "@sewa/core";
import { type FaultyAnswer, type Operation, testCards } from "@sewa/devgateway";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Books } from "./books.ts";
import { type GatewayAndProvider, never, startGateway } from "./gateway.ts";

interface Order extends Pick<PaymentRequest, "reference" | "amountMinor" | "currency"> {
  /** Charged on file; by checkout when left out. */
  readonly card?: keyof typeof testCards;
}

// The same reference always stands for the same: what is random is when it is asked for, how often, and what goes wrong.
const orders: readonly Order[] = [
  { reference: "p0", amountMinor: 50_000n, currency: "IDR" },
  { reference: "p1", amountMinor: 1_999n, currency: "USD" },
  { reference: "p2", amountMinor: 70_000n, currency: "IDR", card: "succeeds" },
  { reference: "p3", amountMinor: 2_000n, currency: "JPY", card: "delayedOnFile" },
  { reference: "p4", amountMinor: 30_000n, currency: "IDR", card: "insufficientOnFile" },
];
const refunds: readonly RefundRequest[] = [
  { reference: "r0", paymentReference: "p0", amountMinor: 20_000n, currency: "IDR" },
  { reference: "r1", paymentReference: "p0", amountMinor: 40_000n, currency: "IDR" },
  { reference: "r2", paymentReference: "p2", amountMinor: 70_000n, currency: "IDR" },
  { reference: "r3", paymentReference: "p2", amountMinor: 1n, currency: "IDR" },
  { reference: "r4", paymentReference: "p1", amountMinor: 1_999n, currency: "USD" },
];
const cardsOnFile = ["succeeds", "delayedOnFile", "insufficientOnFile"] as const;
/** Units of the gateway in one of ours. */
const factors: Readonly<Record<string, bigint>> = { IDR: 100n, JPY: 1n, USD: 1n };

const fault = fc.constantFrom<FaultyAnswer>(
  "cut",
  "lost",
  "silent",
  "hung",
  "garbled",
  { status: 500, isDone: true },
  { status: 503 },
  { status: 429 },
  { delayMs: 150 },
);
type Ask = "begin" | "cancel" | "lookUp" | "refund" | "lookUpRefund";
type Command =
  | {
      readonly type: "ask";
      readonly ask: Ask;
      readonly index: number;
      /** So many at the same time. */
      readonly copies: number;
      readonly fault: FaultyAnswer | null;
    }
  | { readonly type: "pay"; readonly index: number; readonly how: "card" | "declined" | "delayed" | "qris" | "short" }
  | { readonly type: "pass"; readonly ms: number }
  | { readonly type: "decline"; readonly what: "declineNext" | "failRefunds" };

const asking = fc.record({
  type: fc.constant("ask" as const),
  ask: fc.constantFrom<Ask>(
    "begin",
    "begin",
    "begin",
    "cancel",
    "lookUp",
    "refund",
    "refund",
    "refund",
    "lookUpRefund",
  ),
  index: fc.nat(4),
  copies: fc.constantFrom(1, 1, 1, 3),
  fault: fc.option(fault, { freq: 2 }),
});
const paying = fc.record({
  type: fc.constant("pay" as const),
  index: fc.nat(1),
  how: fc.constantFrom("card" as const, "declined", "delayed", "qris", "short"),
});
const passing = fc.record({ type: fc.constant("pass" as const), ms: fc.constantFrom(5_000, 1_800_000) });
const declining = fc.record({
  type: fc.constant("decline" as const),
  what: fc.constantFrom("declineNext" as const, "failRefunds"),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: asking },
  { weight: 3, arbitrary: paying },
  { weight: 1, arbitrary: passing },
  { weight: 1, arbitrary: declining },
);

test("whatever is asked in whatever order, and whatever goes wrong, money moves once and both sides know the same", async () => {
  const seen = { succeeded: 0, refunded: 0, unknown: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 40, size: "max" }), async (commands) => {
      await using world = await startGateway();
      const books = new Books();
      const tokens = new Map<string, string>();
      for (const card of cardsOnFile) {
        tokens.set(card, await world.keepCard(testCards[card].number, `keep-${card}`));
      }
      const kept = world.merchant("IDR");
      const requests = orders.map((order) => toRequest(world, order, tokens));
      for (const each of commands) await run(world, books, requests, each);

      world.gateway.faults.clear();
      world.pass(5_000);
      // Asking all that may have been asked settles what is still unknown: the same references, so nothing is done twice.
      for (const reference of books.unknown) await settle(world, books, requests, reference);
      await expect
        .poll(async () => {
          world.pass(5_000);
          for (const { reference } of requests) books.sawPayment(await world.provider.lookUp(reference, never));
          for (const { reference } of refunds) books.sawRefund(await world.provider.lookUpRefund(reference, never));
          return Object.entries(factors).map(([currency, factor]) => {
            const before = currency === "IDR" ? kept : 0n;
            return world.merchant(currency) - before - books.balance(currency) * factor;
          });
        })
        .toEqual([0n, 0n, 0n]);
      checkGateway(world, books);
      seen.succeeded += books.payments.size;
      seen.refunded += books.refunds.size;
      seen.unknown += books.unknown.size;
      seen.refused += books.refused.size;
    }),
    { numRuns: 25 },
  );
  // A property that met none of its cases would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5);
}, 120_000);

function toRequest(world: GatewayAndProvider, order: Order, tokens: ReadonlyMap<string, string>): PaymentRequest {
  const { card, ...money } = order;
  const method =
    card === undefined
      ? ({ type: "checkout" } as const)
      : ({ type: "on_file", methodReference: tokens.get(card) ?? "" } as const);
  return world.request({ ...money, method });
}

const operations: Readonly<Record<Ask, Operation>> = {
  begin: "createPayment",
  cancel: "cancelPayment",
  lookUp: "getPayment",
  refund: "createRefund",
  lookUpRefund: "getRefund",
};

async function run(
  world: GatewayAndProvider,
  books: Books,
  requests: readonly PaymentRequest[],
  each: Command,
): Promise<void> {
  const { faults } = world.gateway;
  if (each.type === "pass") return world.pass(each.ms);
  if (each.type === "decline") return faults[each.what]();
  if (each.type === "pay") return pay(world, `p${each.index}`, each.how);
  if (each.fault !== null) faults.answer({ operation: operations[each.ask], times: 1 }, each.fault);
  const provider = each.fault === null ? world.provider : world.impatient;
  await Promise.all(Array.from({ length: each.copies }, () => askFor(provider, books, requests, each)));
}

/** As a person would: what cannot be paid is not paid. */
function pay(world: GatewayAndProvider, reference: string, how: (Command & { readonly type: "pay" })["how"]): void {
  const known = world.gateway.payments().find((payment) => payment.reference === reference);
  if (known?.state !== "pending") return;
  if (how === "qris") world.gateway.pay(reference, { type: "qris" });
  else if (how === "short") {
    const amount = BigInt(known.amount) - 100n;
    world.gateway.pay(reference, { type: "virtual_account", received: { amount, currency: known.currency } });
  } else {
    const card = how === "card" ? testCards.succeeds : testCards[how];
    world.gateway.pay(reference, { type: "card", number: card.number });
  }
}

async function askFor(
  provider: PaymentProvider,
  books: Books,
  requests: readonly PaymentRequest[],
  { ask, index }: { readonly ask: Ask; readonly index: number },
): Promise<void> {
  const request = requests[index]!;
  const refund = refunds[index]!;
  const reference = ask === "refund" ? refund.reference : request.reference;
  try {
    if (ask === "begin") books.sawPayment(await provider.begin(request, never));
    else if (ask === "cancel") books.sawPayment(await provider.cancel(request.reference, never));
    else if (ask === "lookUp") books.sawPayment(await provider.lookUp(request.reference, never));
    else if (ask === "refund") books.sawRefund(await provider.refund(refund, never));
    else books.sawRefund(await provider.lookUpRefund(refund.reference, never));
  } catch (error) {
    if (error instanceof ProviderRefused) books.refused.add(reference);
    else if (error instanceof ProviderUnavailable) {
      if (ask === "begin" || ask === "refund") books.unknown.add(reference);
    } else throw error;
  }
}

async function settle(
  world: GatewayAndProvider,
  books: Books,
  requests: readonly PaymentRequest[],
  reference: string,
): Promise<void> {
  const index = Number(reference.slice(1));
  await askFor(world.provider, books, requests, { ask: reference.startsWith("r") ? "refund" : "begin", index });
}

function checkGateway({ gateway }: GatewayAndProvider, books: Books): void {
  const { transactions } = gateway.ledger();
  const keys = transactions.map(({ kind, reference }) => `${kind} ${reference}`);
  expect(new Set(keys).size, "each reference moved money at most once").toBe(keys.length);
  for (const { entries } of transactions) expect(entries.reduce((sum, { amount }) => sum + amount, 0n)).toBe(0n);
  for (const reference of books.cancelled) expect(keys).not.toContain(`payment ${reference}`);
  const gaveBack = gateway.refunds().filter(({ state }) => state === "succeeded");
  for (const { reference, received } of gateway.payments()) {
    const sum = gaveBack
      .filter((refund) => refund.payment_reference === reference)
      .reduce((total, { amount }) => total + BigInt(amount), 0n);
    expect(sum).toBeLessThanOrEqual(BigInt(received?.amount ?? 0));
  }
}
