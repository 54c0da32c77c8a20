export { createTaxRate, type CreateTaxRateInput } from "./create-tax-rate.ts";
export { endTaxRate } from "./end-tax-rate.ts";
export { listTaxRates, ratesOf, readTaxRates } from "./queries.ts";
export { deriveTaxes, pickRates, type Tax, type TaxedAmount, type TaxRateRow, toPercent } from "./tax.ts";
