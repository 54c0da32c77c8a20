import { accountRouter } from "./account/router.ts";
import { adminRouter } from "./admin/router.ts";
import { auditRouter } from "./audit/router.ts";
import { authRouter } from "./auth/router.ts";
import { clockRouter } from "./clock/router.ts";
import { couponsRouter } from "./coupons/router.ts";
import { eventsRouter } from "./events/router.ts";
import { instancesRouter } from "./instances/router.ts";
import { invoicesRouter } from "./invoices/router.ts";
import { offeringsRouter } from "./offerings/router.ts";
import { operationsRouter } from "./operations/router.ts";
import { ordersRouter } from "./orders/router.ts";
import { organizationsRouter } from "./organizations/router.ts";
import { paymentsRouter } from "./payments/router.ts";
import { subscriptionsRouter } from "./subscriptions/router.ts";
import { systemRouter } from "./system/router.ts";
import { transactionsRouter } from "./transactions/router.ts";
import { tokensRouter } from "./tokens/router.ts";
import { router } from "./trpc.ts";
import { usageRouter } from "./usage/router.ts";
import { walletRouter } from "./wallet/router.ts";

/**
 * Everything that can be asked. Each noun is a plain record of procedures and not a router of its own: that halves what
 * a frontend's compiler has to work out.
 */
export const appRouter = router({
  auth: authRouter,
  account: accountRouter,
  offerings: offeringsRouter,
  orders: ordersRouter,
  subscriptions: subscriptionsRouter,
  instances: instancesRouter,
  operations: operationsRouter,
  coupons: couponsRouter,
  invoices: invoicesRouter,
  organizations: organizationsRouter,
  tokens: tokensRouter,
  payments: paymentsRouter,
  wallet: walletRouter,
  usage: usageRouter,
  transactions: transactionsRouter,
  events: eventsRouter,
  audit: auditRouter,
  clock: clockRouter,
  system: systemRouter,
  admin: adminRouter,
});
