import type { CoreContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import type { PaymentProvider, PaymentProviderName } from "./provider.ts";

/** PAYMENT_UNAVAILABLE where no gateway is connected: then the wallet and bank transfers are left. */
export function requireProvider({ paymentProviders = [] }: CoreContext): void {
  if (paymentProviders.length > 0) return;
  throw new DomainError("PAYMENT_UNAVAILABLE", "Nothing can be paid by card here.");
}

export type PaymentProviders = readonly PaymentProvider[];

/** Throws when it is not connected any more: what is under way there waits until it is. */
export function providerNamed(providers: PaymentProviders, name: PaymentProviderName): PaymentProvider {
  const found = providers.find((provider) => provider.name === name);
  if (found === undefined) throw new Error(`The payment provider ${name} is not connected.`);
  return found;
}
