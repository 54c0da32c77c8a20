import type { Permission } from "./permissions.ts";

/** What an API token can be made for, and in words. */
export const tokenScopes = {
  read: "see what the organization has: apps, orders, invoices, payments, usage, events",
  apps: "start, stop and change apps, and read their logs",
  orders: "order apps, and end subscriptions",
  billing: "pay, renew, apply coupons, and set limits of spending",
  credentials: "see the passwords of apps",
  organization: "see who its members are, change its settings, and move its test clock",
} as const;

export type TokenScope = keyof typeof tokenScopes;

export const tokenScopeNames = Object.keys(tokenScopes) as readonly TokenScope[];

/**
 * The one scope that each permission of a member is in. Null: no token may do it, whatever its scopes. With one that could
 * invite, promote or make further tokens, whoever finds it would soon have more than it was made for; and what a person does as
 * themselves, beyond one organization, is for the person. The operators' permissions are in none.
 */
export const scopeTable = {
  "catalog.read": "read",
  "account.read": null,
  "account.write": null,
  "organization.create": null,
  "organization.read": "read",
  "organization.write": "organization",
  "organization.leave": null,
  "organization.transfer": null,
  "member.read": "organization",
  "member.write": null,
  "invitation.read": "organization",
  "invitation.write": null,
  "token.read": null,
  "token.write": null,
  "order.place": "orders",
  "order.read": "read",
  "subscription.read": "read",
  "subscription.renew": "billing",
  "subscription.cancel": "orders",
  "instance.read": "read",
  "instance.operate": "apps",
  "instance.change": "apps",
  "instance.readLogs": "apps",
  "instance.revealCredentials": "credentials",
  "operation.read": "read",
  "event.read": "read",
  "invoice.read": "read",
  "coupon.read": "read",
  "coupon.apply": "billing",
  "payment.read": "read",
  "payment.write": "billing",
  "wallet.read": "read",
  "wallet.write": "billing",
  "transaction.read": "read",
  "audit.read": "organization",
  "usage.read": "read",
  "usage.write": "billing",
  "clock.advance": "organization",
} as const satisfies Record<Exclude<Permission, `admin.${string}`>, TokenScope | null>;

/** Null where no token may do it. */
export function scopeOf(permission: Permission): TokenScope | null {
  return (scopeTable as Readonly<Partial<Record<Permission, TokenScope | null>>>)[permission] ?? null;
}
