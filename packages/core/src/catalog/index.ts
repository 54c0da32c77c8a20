export { applyCatalog, type CatalogChange, type CatalogFiles } from "./apply-catalog.ts";
export type { Offering, Plan } from "./offering.ts";
export { describePlans, getOffering, getOrderablePlan, listOfferings, loadBlueprint } from "./queries.ts";
