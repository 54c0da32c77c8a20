import type { Actor } from "./actor.ts";
import { DomainError } from "./errors.ts";

const everybody = ["anonymous", "owner", "operator"] as const;
const owner = ["owner"] as const;
const operator = ["operator"] as const;

type Role = (typeof everybody)[number];

/**
 * Who may do what. A customer's permission speaks of the organization that the context is bound to; an operator acts on
 * the house through the `admin` ones and has none of the customer's. The system itself (worker, server, command line)
 * may do everything.
 */
export const permissionTable = {
  "catalog.read": everybody,
  "account.read": owner,
  "organization.write": owner,
  "order.place": owner,
  "order.read": owner,
  "subscription.read": owner,
  "subscription.renew": owner,
  "subscription.cancel": owner,
  "instance.read": owner,
  "instance.operate": owner,
  "instance.change": owner,
  "instance.readLogs": owner,
  "instance.revealCredentials": owner,
  "operation.read": owner,
  "event.read": owner,
  "invoice.read": owner,
  "coupon.read": owner,
  "coupon.apply": owner,
  "payment.read": owner,
  "payment.write": owner,
  "wallet.read": owner,
  "wallet.write": owner,
  "transaction.read": owner,
  "usage.read": owner,
  "usage.write": owner,
  "clock.advance": owner,
  "admin.catalog.read": operator,
  "admin.catalog.write": operator,
  "admin.coupons.read": operator,
  "admin.coupons.write": operator,
  "admin.directory.read": operator,
  "admin.instances.hold": operator,
  "admin.nodes.read": operator,
  "admin.nodes.write": operator,
  "admin.payments.record": operator,
  "admin.transactions.read": operator,
  "admin.transactions.write": operator,
  "admin.clock.advance": operator,
  "admin.jobs.read": operator,
  "admin.ledger.verify": operator,
  "admin.books.read": operator,
  "admin.books.check": operator,
  "admin.books.unpark": operator,
  "admin.jobs.write": operator,
  "admin.audit.read": operator,
  "admin.inventory.read": operator,
  "admin.inventory.audit": operator,
  "admin.revenue.read": operator,
  "admin.taxes.read": operator,
  "admin.taxes.write": operator,
  "admin.operators.invite": operator,
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof permissionTable;

/** Throws FORBIDDEN. */
export function authorize(actor: Actor, permission: Permission): void {
  if (!isAllowed(actor, permission)) throw new DomainError("FORBIDDEN", "You may not do this.");
}

export function isAllowed(actor: Actor, permission: Permission): boolean {
  if (actor.type === "system") return true;
  const role: Role = actor.type === "user" ? actor.role : actor.type;
  const allowed: readonly Role[] = permissionTable[permission];
  return allowed.includes(role);
}
