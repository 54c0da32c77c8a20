import type { UserView } from "../accounts/index.ts";
import { DomainError } from "../errors.ts";
import { isAtLeast, type MemberRole } from "../roles.ts";

/** Who belongs to an organization. */
export interface MemberView extends Pick<UserView, "email" | "name"> {
  readonly userId: string;
  readonly role: MemberRole;
  readonly joinedAt: Date;
}

export const maxMembers = 200;
/** That one user owns. */
export const maxOwnedOrganizations = 10;

/** Throws FORBIDDEN: nobody gives a right that they do not have. */
export function assertMayGrant(acting: MemberRole, role: MemberRole): void {
  if (!isAtLeast(acting, role)) throw new DomainError("FORBIDDEN", "You may not give a role above your own.");
}

/** Throws FORBIDDEN: an admin neither demotes nor removes an owner. */
export function assertMayTouch(acting: MemberRole, role: MemberRole): void {
  if (!isAtLeast(acting, role)) throw new DomainError("FORBIDDEN", "You may not do this to somebody above you.");
}
