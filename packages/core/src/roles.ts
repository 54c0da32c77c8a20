/** What a member may be, from the most to the least. What each may do stands in `permissionTable`. */
export const memberRoles = ["owner", "admin", "developer", "billing", "viewer"] as const;

export type MemberRole = (typeof memberRoles)[number];

/** developer and billing stand beside each other: neither may make somebody the other. */
const ranks = { owner: 3, admin: 2, developer: 1, billing: 1, viewer: 0 } as const satisfies Record<MemberRole, number>;

/** Nobody gives a right that they do not have, or takes one from somebody above them. */
export function isAtLeast(role: MemberRole, other: MemberRole): boolean {
  return role === other || ranks[role] > ranks[other];
}
