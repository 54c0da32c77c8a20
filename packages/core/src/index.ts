export * from "./accounts/index.ts";
export * from "./audit/index.ts";
export * from "./billing/index.ts";
export * from "./books/index.ts";
export * from "./capacity/index.ts";
export * from "./catalog/index.ts";
export * from "./changes/index.ts";
export * from "./clocks/index.ts";
export * from "./coupons/index.ts";
export * from "./directory/index.ts";
export * from "./documents/index.ts";
export * from "./events/index.ts";
export * from "./idempotency/index.ts";
export * from "./instances/index.ts";
export * from "./inventory/index.ts";
export * from "./jobs/index.ts";
export * from "./keys/index.ts";
export * from "./ledger/index.ts";
export * from "./notifications/index.ts";
export * from "./operations/index.ts";
export * from "./orders/index.ts";
export * from "./organizations/index.ts";
export * from "./outgoing/index.ts";
export * from "./payments/index.ts";
export * from "./privacy/index.ts";
export * from "./reports/index.ts";
export * from "./spending/index.ts";
export * from "./subscriptions/index.ts";
export * from "./taxes/index.ts";
export * from "./tokens/index.ts";
export * from "./uptime/index.ts";
export * from "./usage/index.ts";
export * from "./wallet/index.ts";
export { type Actor, formatActor, isCustomersActor, userActor } from "./actor.ts";
export {
  addMs,
  type Clock,
  dayMs,
  hourMs,
  manualClock,
  minuteMs,
  secondMs,
  type SharedClock,
  sharedClock,
  systemClock,
} from "./clock.ts";
export {
  type CoreEnvironment,
  coreConfigShape,
  type GatewayEnvironment,
  gatewayShape,
  requireWholeGateway,
  toCoreConfig,
} from "./config.ts";
export {
  type Client,
  type CoreConfig,
  type CoreContext,
  type CoreDependencies,
  createContext,
  type Observer,
  type SignInProvider,
  type Tx,
} from "./context.ts";
export {
  ConfigurationError,
  databaseUrl,
  type EnvironmentSource,
  parseEnvironment,
  processShape,
  wholeNumber,
} from "./environment.ts";
export { DomainError, type DomainErrorCode, domainErrorCodes, type FieldIssue } from "./errors.ts";
export { fromPublicId, type IdKind, type Ids, toPublicId, uuidV7Ids } from "./ids.ts";
export { createKeyring, type Keyring, parseKeyring } from "./keyring.ts";
export { fromMajor, type Money, minorDigitsOf, toMajor } from "./money.ts";
export { maxPageSize, type Page, type PageInput } from "./pages.ts";
export { isTimeZone } from "./periods.ts";
export { redactFields } from "./redact.ts";
export { isAtLeast, type MemberRole, memberRoles } from "./roles.ts";
export { scopeOf, type TokenScope, tokenScopeNames, tokenScopes } from "./scopes.ts";
