export { acceptInvitation, declineInvitation } from "./answer-invitation.ts";
export { changeMemberRole } from "./change-member-role.ts";
export { type CreateInvitation, createInvitation } from "./create-invitation.ts";
export { type CreateOrganization, createOrganization } from "./create-organization.ts";
export { deleteInvitationTokens } from "./delete-invitation-tokens.ts";
export { getInvitation, type InvitationPreview } from "./find-invitation.ts";
export { type InvitationStatus, maxPendingInvitations } from "./invitation.ts";
export {
  type InvitationView,
  listInvitations,
  revokeInvitation,
  revokeInvitationsOf,
  settleInvitation,
} from "./invitations.ts";
export { listOrganizations, type MembershipView, readOrganization } from "./list-organizations.ts";
export { maxMembers, maxOwnedOrganizations, type MemberView } from "./member.ts";
export { getMember, listMembers } from "./members.ts";
export { mintInvitationLink } from "./mint-invitation-link.ts";
export { endMembership, leaveOrganization, removeMember } from "./remove-member.ts";
export { transferOwnership } from "./transfer-ownership.ts";
