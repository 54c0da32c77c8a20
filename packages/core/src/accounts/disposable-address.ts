import { disposableEmailBlocklistSet } from "disposable-email-domains-js";
import type { CoreConfig, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { getBillingContact } from "./billing-contact.ts";

type Rules = NonNullable<CoreConfig["disposableAddresses"]>;

let known: ReadonlySet<string> | null = null;

/**
 * Whether a throw-away mail provider gives the address out. What is said of the longest of the domains that it belongs to counts, so
 * that one below another can be an exception; and of one domain the operator's exception counts most.
 */
export function isDisposable(email: string, { also, except }: Rules): boolean {
  known ??= disposableEmailBlocklistSet();
  const labels = email
    .slice(email.lastIndexOf("@") + 1)
    .toLowerCase()
    .split(".");
  for (const index of labels.keys()) {
    const domain = labels.slice(index).join(".");
    if (except.includes(domain)) return false;
    if (also.includes(domain) || known.has(domain)) return true;
  }
  return false;
}

/** For what costs nothing. Of who owns the organization. Throws DISPOSABLE_ADDRESS. */
export async function refuseDisposableAddress(tx: Tx): Promise<void> {
  const { disposableAddresses: rules } = tx.ctx.config;
  if (rules === null || !isDisposable((await getBillingContact(tx)).email, rules)) return;
  throw new DomainError(
    "DISPOSABLE_ADDRESS",
    "Free plans and trials are not for addresses of throw-away mail providers. Register with a lasting address, or order what costs something.",
  );
}
