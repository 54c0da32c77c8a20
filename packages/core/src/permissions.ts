import type { Actor } from "./actor.ts";
import { DomainError } from "./errors.ts";
import { type MemberRole, memberRoles } from "./roles.ts";
import { scopeOf } from "./scopes.ts";

type Role = MemberRole | "anonymous" | "operator";

const members = memberRoles;
const everybody = ["anonymous", ...members, "operator"] as const;
const owner = ["owner"] as const;
const admins = ["owner", "admin"] as const;
/** Operate and change apps, and see what is inside of them. */
const developers = ["owner", "admin", "developer"] as const;
/** Pay for what was ordered. */
const payers = ["owner", "admin", "billing"] as const;
const operator = ["operator"] as const;

/**
 * Who may do what. A customer's permission speaks of the organization that the context is bound to, and of the role of
 * the member there; an operator acts on the house through the `admin` ones and has none of the customer's. The system
 * itself (worker, server, command line) may do everything. What makes an app dearer takes "order.place" as well. An API
 * token may what its member may, as far as its scopes go (`scopeTable`).
 */
export const permissionTable = {
  "catalog.read": everybody,
  "account.read": members,
  "account.write": members,
  "organization.create": members,
  "organization.read": members,
  "organization.write": admins,
  "organization.leave": members,
  "organization.transfer": owner,
  "member.read": members,
  "member.write": admins,
  "invitation.read": admins,
  "invitation.write": admins,
  "token.read": developers,
  "token.write": developers,
  "order.place": admins,
  "order.read": members,
  "subscription.read": members,
  "subscription.renew": payers,
  "subscription.cancel": admins,
  "instance.read": members,
  "instance.operate": developers,
  "instance.change": developers,
  "instance.readLogs": developers,
  "instance.revealCredentials": developers,
  "operation.read": members,
  "event.read": members,
  "invoice.read": members,
  "coupon.read": members,
  "coupon.apply": payers,
  "payment.read": members,
  "payment.write": payers,
  "wallet.read": members,
  "wallet.write": payers,
  "transaction.read": members,
  "audit.read": admins,
  "usage.read": members,
  "usage.write": payers,
  "clock.advance": admins,
  "admin.catalog.read": operator,
  "admin.catalog.write": operator,
  "admin.coupons.read": operator,
  "admin.coupons.write": operator,
  "admin.directory.read": operator,
  "admin.instances.hold": operator,
  "admin.instances.restart": operator,
  "admin.instances.remove": operator,
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
  "admin.audit.verify": operator,
  "admin.audit.erase": operator,
  "admin.keys.read": operator,
  "admin.keys.rotate": operator,
  "admin.inventory.read": operator,
  "admin.inventory.audit": operator,
  "admin.revenue.read": operator,
  "admin.taxes.read": operator,
  "admin.taxes.write": operator,
  "admin.operators.invite": operator,
  "admin.users.suspend": operator,
  "admin.users.delete": operator,
  "admin.users.impersonate": operator,
  "admin.users.resetSecondFactor": operator,
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof permissionTable;
export type OperatorPermission = Extract<Permission, `admin.${string}`>;
/** Of members, in their organization. */
export type MemberPermission = Exclude<Permission, OperatorPermission | "catalog.read">;

/**
 * What an operator may who acts as a member, as far as the member may: look, and help with the apps. Whatever is not here they may
 * not: what costs or moves money, shows a secret, lets somebody in or ends anything. A new permission is refused until it stands here.
 */
export const impersonable = [
  "catalog.read",
  "organization.read",
  "member.read",
  "order.read",
  "subscription.read",
  "instance.read",
  "instance.operate",
  "instance.change",
  "instance.readLogs",
  "operation.read",
  "event.read",
  "invoice.read",
  "coupon.read",
  "payment.read",
  "wallet.read",
  "transaction.read",
  "audit.read",
  "usage.read",
] as const satisfies readonly Permission[];

const impersonablePermissions: ReadonlySet<Permission> = new Set(impersonable);

export function isImpersonable(permission: Permission): boolean {
  return impersonablePermissions.has(permission);
}

/**
 * Throws FORBIDDEN, NOT_WHILE_IMPERSONATING where the member may but an operator who acts as them may not, and TOKEN_SCOPE where the
 * member may but the token may not.
 */
export function authorize(actor: Actor, permission: Permission): void {
  if (!isInRole(actor, permission)) throw new DomainError("FORBIDDEN", "You may not do this.");
  if (!isForActor(actor, permission)) throw notWhileImpersonating();
  if (isInScope(actor, permission)) return;
  const scope = scopeOf(permission);
  if (scope === null) throw notForTokens();
  throw new DomainError("TOKEN_SCOPE", `This API token lacks the scope "${scope}".`);
}

export function isAllowed(actor: Actor, permission: Permission): boolean {
  return isInRole(actor, permission) && isForActor(actor, permission) && isInScope(actor, permission);
}

/** What takes the user themselves. */
export function notWhileImpersonating(): DomainError {
  return new DomainError("NOT_WHILE_IMPERSONATING", "An operator who acts as a customer may not do this.");
}

/** What takes a person who has logged in. */
export function notForTokens(): DomainError {
  return new DomainError("TOKEN_SCOPE", "No API token may do this. Log in.");
}

function isInRole(actor: Actor, permission: Permission): boolean {
  if (actor.type === "system") return true;
  const role: Role = actor.type === "user" ? actor.role : actor.type;
  const allowed: readonly Role[] = permissionTable[permission];
  return allowed.includes(role);
}

function isForActor(actor: Actor, permission: Permission): boolean {
  return actor.type !== "user" || actor.impersonator === undefined || isImpersonable(permission);
}

function isInScope(actor: Actor, permission: Permission): boolean {
  if (actor.type !== "user" || actor.token === undefined) return true;
  const scope = scopeOf(permission);
  return scope !== null && actor.token.scopes.includes(scope);
}
