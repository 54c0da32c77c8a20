import { taxRates } from "@sewa/db/schema";
import { asc, desc, gt, isNull, lt, or } from "drizzle-orm";
import { getOrganization } from "../accounts/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import { authorize } from "../permissions.ts";
import { pickRates, type TaxRateRow } from "./tax.ts";

/** Newest first, ended ones too. */
export async function listTaxRates(ctx: CoreContext, input: PageInput): Promise<Page<TaxRateRow>> {
  authorize(ctx.actor, "admin.taxes.read");
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const rows = await ctx.db.drizzle
    .select()
    .from(taxRates)
    .where(cursor === null ? undefined : lt(taxRates.id, cursor))
    .orderBy(desc(taxRates.id))
    .limit(limit + 1);
  return toPage(rows, limit, (row) => [row.id]);
}

/** Rates that may hold at that moment or later, for whatever country; in the order in which they were made. */
export async function readTaxRates(tx: Pick<Tx, "sql">, at: Date): Promise<readonly TaxRateRow[]> {
  return tx.sql
    .select()
    .from(taxRates)
    .where(or(isNull(taxRates.endsAt), gt(taxRates.endsAt, at)))
    .orderBy(asc(taxRates.id));
}

/** What the organization of the transaction is taxed with at that moment. */
export async function ratesOf(tx: Tx, at: Date): Promise<readonly TaxRateRow[]> {
  const rates = await readTaxRates(tx, at);
  if (rates.length === 0) return [];
  const { country } = await getOrganization(tx);
  return pickRates(rates, country, at);
}
