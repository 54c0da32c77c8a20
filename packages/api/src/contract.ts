/** What frontends get: types, and the transformer that their links need. Everything reachable from here is self-contained. */
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import type { appRouter } from "./app-router.ts";

export type AppRouter = typeof appRouter;
export type RouterInputs = inferRouterInputs<AppRouter>;
export type RouterOutputs = inferRouterOutputs<AppRouter>;

export type { Access, ProcedureMeta } from "./access.ts";
export type * from "./admin/money-dto.ts";
export type * from "./admin/directory-dto.ts";
export type * from "./admin/dto.ts";
export type { AppErrorCode, AppErrorData, AppErrorIssue, AppErrorShape } from "./app-errors.ts";
export type * from "./auth/dto.ts";
export type * from "./clock/dto.ts";
export type * from "./coupons/dto.ts";
export type { Context } from "./context.ts";
export type * from "./dto.ts";
export type * from "./events/dto.ts";
export type * from "./instances/change-dto.ts";
export type * from "./instances/dto.ts";
export type * from "./invoices/dto.ts";
export type * from "./offerings/dto.ts";
export type * from "./operations/dto.ts";
export type * from "./orders/dto.ts";
export type * from "./payments/dto.ts";
export type * from "./organizations/dto.ts";
export type * from "./subscriptions/dto.ts";
export type * from "./system/dto.ts";
export type * from "./transactions/dto.ts";
export type * from "./uptime/dto.ts";
export type * from "./usage/dto.ts";
export type * from "./wallet/dto.ts";
export { transformer } from "./transformer.ts";
