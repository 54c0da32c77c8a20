export { type AddonCounts, addonStorageBytes, listAddons, mergeAddons } from "./addons.ts";
export { applyCatalog, type CatalogChange, type CatalogFiles } from "./apply-catalog.ts";
export { customScale, formatQuantity, houseMeters, isHouseMeter, type Meter, unitQuantityOf } from "./meters.ts";
export { hideOffering, publishOffering, type ShelfInput } from "./hide-offering.ts";
export { deriveShelfState, listObstacles, type ShelfState, shelfStates } from "./publishing.ts";
export { listPlanPrices, type PlanPrices } from "./list-plan-prices.ts";
export type { Addon, Offering, Plan, PlanPrice, PriceIntro } from "./offering.ts";
export { type PricedItem, priceItems, totalOf } from "./price-items.ts";
export { checkParameters, priceParameters } from "./price-parameters.ts";
export {
  describePlans,
  getOffering,
  getOrderablePlan,
  getPlanTerms,
  getPrice,
  listOfferings,
  loadBlueprint,
  type PlanTerms,
  readIntros,
} from "./queries.ts";
export { listUsagePrices, type UsagePrice } from "./usage-price.ts";
