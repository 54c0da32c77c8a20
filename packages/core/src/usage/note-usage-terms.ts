import { type Blueprint, BlueprintError, evaluateUsage } from "@sewa/blueprint";
import { instances, subscriptions, usageTerms } from "@sewa/db/schema";
import { and, desc, eq } from "drizzle-orm";
import { checkParameters, customScale, isHouseMeter, listUsagePrices, loadBlueprint } from "../catalog/index.ts";
import { organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { canonicalJson } from "../json.ts";

/**
 * Writes down at which price use is charged from now on, and what the blueprint's own meters come to for the parameters
 * that are chosen now. Hours that began before keep the terms of then, however late they are rated. The same terms again
 * change nothing. To be called in the transaction in which subscription or instance get their shape. `startsAt`: the moment since which
 * they hold, if that is noticed late and no other terms were noted since.
 */
export async function noteUsageTerms(
  tx: Tx,
  subscriptionId: string,
  { startsAt = tx.now }: { readonly startsAt?: Date } = {},
): Promise<void> {
  const organizationId = organizationOf(tx);
  const [shape] = await tx.sql
    .select({
      priceId: subscriptions.priceId,
      blueprintVersionId: instances.blueprintVersionId,
      parameters: instances.parameters,
    })
    .from(subscriptions)
    .innerJoin(instances, eq(instances.subscriptionId, subscriptions.id))
    .where(and(eq(subscriptions.organizationId, organizationId), eq(subscriptions.id, subscriptionId)));
  assert(shape !== undefined, "every subscription has an instance");
  const { priceId, blueprintVersionId, parameters } = shape;
  const blueprint = await loadBlueprint(tx, blueprintVersionId);
  const quantities = await measureOwnMeters(tx, { priceId, blueprint, parameters });
  const [last] = await tx.sql
    .select()
    .from(usageTerms)
    .where(and(eq(usageTerms.organizationId, organizationId), eq(usageTerms.subscriptionId, subscriptionId)))
    .orderBy(desc(usageTerms.startsAt))
    .limit(1);
  if (last?.priceId === priceId && canonicalJson(last.quantities) === canonicalJson(quantities)) return;
  const since = last !== undefined && last.startsAt > startsAt ? tx.now : startsAt;
  await tx.sql
    .insert(usageTerms)
    .values({ organizationId, subscriptionId, startsAt: since, priceId, quantities })
    .onConflictDoUpdate({ target: [usageTerms.subscriptionId, usageTerms.startsAt], set: { priceId, quantities } });
}

/**
 * What the blueprint's own meters come to, those that have a price: in millionths, rounded once. A meter that this version
 * no longer declares counts nothing. NO_PRICE where it cannot be known, so that nobody agrees to what cannot be charged.
 */
export async function measureOwnMeters(
  tx: Tx,
  input: {
    readonly priceId: string;
    readonly blueprint: Blueprint;
    readonly parameters: Readonly<Record<string, unknown>>;
  },
): Promise<Readonly<Record<string, string>>> {
  const { priceId, blueprint, parameters } = input;
  const prices = (await listUsagePrices(tx, [priceId])).get(priceId) ?? [];
  const own = prices.map(({ meter }) => meter).filter((meter) => !isHouseMeter(meter));
  if (own.length === 0) return {};
  const known = evaluate(blueprint, parameters);
  return Object.fromEntries(
    own.map((meter) => {
      const scaled = Math.round((known[meter] ?? 0) * customScale);
      if (!Number.isSafeInteger(scaled)) throw new DomainError("NO_PRICE", `The quantity of ${meter} is too large.`);
      return [meter, String(scaled)];
    }),
  );
}

function evaluate(
  blueprint: Blueprint,
  parameters: Readonly<Record<string, unknown>>,
): Readonly<Record<string, number>> {
  try {
    return evaluateUsage(blueprint, checkParameters(blueprint, parameters));
  } catch (error) {
    if (!(error instanceof BlueprintError)) throw error;
    throw new DomainError("NO_PRICE", "What is charged by use cannot be known for this choice of parameters.");
  }
}
