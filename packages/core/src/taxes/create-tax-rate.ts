import { databaseErrorOf } from "@sewa/db";
import { taxRates } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import { writeOperatorAudit } from "../audit/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { authorize } from "../permissions.ts";
import { readTaxRates } from "./queries.ts";
import { type TaxRateRow, toBasisPoints, wholeBasisPoints } from "./tax.ts";

export interface CreateTaxRateInput {
  /** As printed. */
  readonly name: string;
  /** In words of decimals, such as `11` or `7.25`. */
  readonly percent: string;
  readonly isInclusive: boolean;
  /** ISO 3166; left out, customers of all countries pay it. */
  readonly country?: string | undefined;
  /** Now, unless told; never earlier, because invoices that were opened are what they are. */
  readonly startsAt?: Date | undefined;
}

/** A tax on every invoice that is opened from then on. The same name cannot be charged twice at once. */
export async function createTaxRate(ctx: CoreContext, input: CreateTaxRateInput): Promise<TaxRateRow> {
  authorize(ctx.actor, "admin.taxes.write");
  const { name, percent, isInclusive, country = null, startsAt = ctx.clock.now() } = input;
  if (startsAt < ctx.clock.now()) throw new DomainError("INVALID_INPUT", "A tax begins now or later.");
  if (country !== null && !/^[A-Z]{2}$/.test(country)) {
    throw new DomainError("INVALID_INPUT", "Write a country as two capital letters, such as ID.");
  }
  const basisPoints = toBasisPoints(percent);
  return ctx.transaction(async (tx) => {
    // Two at once would each see the other's rate missing from the sum.
    await tx.sql.execute(sql`select pg_advisory_xact_lock(hashtext('sewa:taxes'))`);
    if (isInclusive) await refuseTooMuch(tx, basisPoints);
    const id = ctx.ids.next();
    const [row] = await tx.sql
      .insert(taxRates)
      .values({ id, name, basisPoints, isInclusive, country, startsAt })
      .returning()
      .catch(refuseTwice);
    assert(row !== undefined, "an inserted rate is returned");
    writeOperatorAudit(tx, { action: "tax.created", subject: { type: "tax_rate", id }, after: row });
    return row;
  });
}

async function refuseTooMuch(tx: Tx, basisPoints: number): Promise<void> {
  const inclusive = (await readTaxRates(tx, tx.now)).filter((rate) => rate.isInclusive);
  const together = inclusive.reduce((sum, rate) => sum + BigInt(rate.basisPoints), BigInt(basisPoints));
  if (together <= wholeBasisPoints) return;
  throw new DomainError("INVALID_INPUT", "Inclusive taxes may not come to more than 100 percent together.");
}

function refuseTwice(error: unknown): never {
  if (databaseErrorOf(error)?.constraint === "tax_rates_no_overlap") {
    throw new DomainError("CONFLICT", "A tax of this name holds in that time already. End it first.");
  }
  throw error;
}
