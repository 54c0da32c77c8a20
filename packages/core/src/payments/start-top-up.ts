import { assertNotParked } from "../accounts/index.ts";
import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import { once } from "../idempotency/index.ts";
import { minorDigitsOf, type Money } from "../money.ts";
import { authorize } from "../permissions.ts";
import type { IntentRow } from "./intent.ts";
import { createIntent } from "./intent-store.ts";
import { requireProvider } from "./require-provider.ts";
import { chosenMethod, type PaymentChoice } from "./start-payment.ts";

/** The most that one top-up takes, in minor units. */
export const maxTopUpMinor = 100_000_000_000n;

/** Begins to put money into the wallet, in the currency in which things are sold here; ACCOUNT_PARKED while no money moves. */
export async function startTopUp(
  ctx: CoreContext,
  input: PaymentChoice & Money & { readonly idempotencyKey: string },
): Promise<IntentRow> {
  authorize(ctx.actor, "wallet.write");
  const { idempotencyKey: key, ...request } = input;
  return once(ctx, { key, procedure: "wallet.topUp", input: request }, async (tx) => {
    await assertNotParked(tx);
    requireTopUp(ctx, input);
    requireProvider(ctx);
    if (input.method === "wallet") throw new DomainError("INVALID_INPUT", "A wallet cannot be filled from itself.");
    return createIntent(tx, {
      purpose: "top_up",
      invoiceId: null,
      methodId: await chosenMethod(tx, input),
      origin: "customer",
      savesMethod: input.savesMethod === true,
      amountMinor: input.amountMinor,
      currency: input.currency,
    });
  });
}

export function requireTopUp(ctx: CoreContext, { amountMinor, currency }: Money): void {
  minorDigitsOf(currency);
  if (currency !== ctx.config.currency) {
    throw new DomainError("CURRENCY", `The wallet is filled in ${ctx.config.currency}.`);
  }
  if (amountMinor <= 0n || amountMinor > maxTopUpMinor) {
    throw new DomainError("INVALID_INPUT", `A top-up is of 1 to ${maxTopUpMinor} minor units.`);
  }
}
