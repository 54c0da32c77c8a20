export { applyCatalog, type CatalogChange, type CatalogFiles } from "./apply-catalog.ts";
export { customScale, formatQuantity, houseMeters, isHouseMeter, type Meter, unitQuantityOf } from "./meters.ts";
export type { Offering, Plan } from "./offering.ts";
export { type PricedItem, priceItems, totalOf } from "./price-items.ts";
export { checkParameters, priceParameters } from "./price-parameters.ts";
export {
  describePlans,
  getOffering,
  getOrderablePlan,
  getPlanTerms,
  getPriceAmount,
  listOfferings,
  loadBlueprint,
  type PlanTerms,
} from "./queries.ts";
export { listUsagePrices, type UsagePrice } from "./usage-price.ts";
