export * from "./contract.ts";
export { appRouter } from "./app-router.ts";
export type { Caller, ChangeFeed, FinishedCall, LogSource, OpenFeed, RelayedLog, SessionCookies } from "./context.ts";
export { type ApiContextPorts, createApiContext } from "./core-context.ts";
export { describeError, type Refusal, toErrorShape, transportRefusal } from "./error-shape.ts";
export { apiVersion } from "./version.ts";
