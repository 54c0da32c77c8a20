import { decideCollection } from "../payments/index.ts";
import {
  afterCharge,
  type ChargeFacts,
  deriveNextCharge,
  type ForeseenRenewal,
  foreseeRenewals,
  goesOnByItself,
  renewalTermsOf,
  type SubscriptionFacts,
  type SubscriptionRules,
} from "../subscriptions/index.ts";
import { deriveTaxes, pickRates, type TaxRateRow } from "../taxes/index.ts";

/** A renewal that would be asked for, or is, and how its money would be taken. */
export interface UpcomingInvoice {
  readonly subscriptionId: string;
  readonly organizationId: string;
  /** Null: it does not exist yet. */
  readonly number: string | null;
  readonly opensAt: Date;
  readonly dueAt: Date;
  readonly periodEnd: Date;
  /** When its money would be taken. */
  readonly collectsAt: Date;
  readonly currency: string;
  /** What is to be paid, with its taxes. */
  readonly amountMinor: bigint;
  readonly fromWalletMinor: bigint;
  /** What its saved card would be charged. What is left then is asked for by mail. */
  readonly fromCardMinor: bigint;
}

/** A renewal that is open, and of which something would be taken at `collectsAt`; `amountMinor` is what is left of it then. */
export interface OpenRenewal extends Pick<
  UpcomingInvoice,
  "number" | "opensAt" | "dueAt" | "periodEnd" | "collectsAt" | "amountMinor"
> {
  /** When the card may be charged; null when it will not be any more. */
  readonly chargesAt: Date | null;
}

/** A customer, and what they rent. */
export interface Household {
  readonly country: string | null;
  /** By currency. */
  readonly walletMinor: ReadonlyMap<string, bigint>;
  /** One that is charged without asking. */
  readonly hasCard: boolean;
  readonly rented: readonly Rented[];
}

export interface Rented {
  readonly facts: SubscriptionFacts;
  readonly open: OpenRenewal | null;
  readonly charge: ChargeFacts;
}

interface Rules extends SubscriptionRules {
  readonly rates: readonly TaxRateRow[];
}

interface Life {
  /** As it is left by what was taken before. */
  open: OpenRenewal | null;
  readonly life: Generator<ForeseenRenewal, void, boolean>;
  /** What the renewals before it have left. */
  charge: ChargeFacts;
  /** What comes next in it; null when it has come to rest. */
  next: ForeseenRenewal | null;
}

/**
 * What one customer would be asked for until then, and what would be taken. In the order of time, because what one renewal takes out of
 * the wallet is not there for the next one; of two at the same moment nobody knows which is first. A card is believed to pay. Pure.
 */
export function foretell(
  household: Household,
  rules: Rules,
  span: { readonly now: Date; readonly until: Date },
): readonly UpcomingInvoice[] {
  const walletMinor = new Map(household.walletMinor);
  const lives = household.rented.map(({ facts, open, charge }): Life => {
    const life = foreseeRenewals(facts, rules, { ...span, collectsAt: open === null ? [] : collectionsOf(open) });
    return { open, life, charge, next: life.next().value ?? null };
  });
  const upcoming: UpcomingInvoice[] = [];
  for (let first = soonest(lives); first !== null; first = soonest(lives)) {
    const { renewal, each } = first;
    const { id: subscriptionId, organizationId, currency } = renewal.subscription;
    const { chargesAt, ...asked } = termsOf(renewal, each, household, rules);
    const held = walletMinor.get(currency) ?? 0n;
    const { fromWalletMinor, fromCardMinor, isPaid } = take({ ...asked, chargesAt }, held, household);
    if (!renewal.isNew && each.open !== null)
      each.open = { ...each.open, amountMinor: asked.amountMinor - fromWalletMinor - fromCardMinor };
    walletMinor.set(currency, held - fromWalletMinor);
    const goesOn = renewal.isNew && goesOnByItself(renewal.subscription, asked.amountMinor);
    // What is open now was asked for before.
    if (renewal.isNew ? asked.amountMinor > 0n : fromWalletMinor + fromCardMinor > 0n) {
      upcoming.push({ subscriptionId, organizationId, currency, ...asked, fromWalletMinor, fromCardMinor });
    }
    each.next = each.life.next(isPaid || goesOn).value ?? null;
  }
  return upcoming;
}

/** What is in the wallet is taken at once, and the card may have to wait. */
function collectionsOf({ collectsAt, chargesAt }: OpenRenewal): readonly Date[] {
  return chargesAt !== null && chargesAt > collectsAt ? [collectsAt, chargesAt] : [collectsAt];
}

function soonest(lives: readonly Life[]): { readonly renewal: ForeseenRenewal; readonly each: Life } | null {
  const [first] = lives
    .flatMap((each) => (each.next === null ? [] : [{ renewal: each.next, each }]))
    .toSorted((one, other) => one.renewal.at.getTime() - other.renewal.at.getTime());
  return first ?? null;
}

function termsOf(
  { subscription, at, isNew }: ForeseenRenewal,
  each: Life,
  { country }: Household,
  { rates }: Rules,
): OpenRenewal {
  if (!isNew && each.open !== null) return { ...each.open, collectsAt: at };
  const { period, dueAt } = renewalTermsOf(subscription);
  const charge = deriveNextCharge(subscription, each.charge);
  each.charge = afterCharge(each.charge, charge);
  const { totalMinor: amountMinor } = deriveTaxes(charge.totalMinor, pickRates(rates, country, at));
  return { number: null, opensAt: at, dueAt, periodEnd: period.end, collectsAt: at, chargesAt: at, amountMinor };
}

function take(
  { amountMinor: restMinor, collectsAt, chargesAt }: OpenRenewal,
  walletMinor: bigint,
  { hasCard }: Household,
): { readonly fromWalletMinor: bigint; readonly fromCardMinor: bigint; readonly isPaid: boolean } {
  if (restMinor === 0n) return { fromWalletMinor: 0n, fromCardMinor: 0n, isPaid: false };
  const facts = { restMinor, walletMinor, hasCard, nextAttemptAt: chargesAt };
  const { fromWalletMinor, step } = decideCollection(facts, collectsAt);
  const fromCardMinor = step === "charge" ? restMinor - fromWalletMinor : 0n;
  return { fromWalletMinor, fromCardMinor, isPaid: fromWalletMinor + fromCardMinor === restMinor };
}
