export { acceptOperatorInvite } from "./accept-operator-invite.ts";
export { hashApiToken, isApiToken, newApiToken } from "./api-token.ts";
export { getBillingContact } from "./billing-contact.ts";
export type { UserView } from "./account.ts";
export { returnAttempts, takeAttempts } from "./attempts.ts";
export { authenticate } from "./authenticate.ts";
export { type DeletedExpired, deleteExpiredSessionsAndTokens } from "./delete-expired.ts";
export { getMe, type Me } from "./get-me.ts";
export { checkName, maxPasswordCharacters, minPasswordCharacters, normalizeEmail } from "./input.ts";
export { inviteOperator, type OperatorInvite } from "./invite-operator.ts";
export { type LoggedIn, type LogIn, logIn } from "./log-in.ts";
export { logOut } from "./log-out.ts";
export { insertOrganization } from "./insert-organization.ts";
export { lockFounder, type Membership } from "./memberships.ts";
export { door } from "./sign-in.ts";
export { mintMailLink } from "./mint-mail-link.ts";
export {
  getOrganization,
  listOrganizationIdsAtLocalHour,
  lockOrganization,
  type Organization,
  organizationColumns,
  type OrganizationSettings,
} from "./organizations.ts";
export {
  assertNotParked,
  countParked,
  isParked,
  lockParking,
  type Parking,
  parkOrganization,
  unparkOrganization,
} from "./parking.ts";
export {
  authorize,
  isAllowed,
  type MemberPermission,
  notForTokens,
  type OperatorPermission,
  type Permission,
  permissionTable,
} from "../permissions.ts";
export { type Register, register } from "./register.ts";
export { requestPasswordReset } from "./request-password-reset.ts";
export { resetPassword } from "./reset-password.ts";
export { sessionIdleDays, sessionMaxDays } from "./session-adapter.ts";
export { accountSuspended, type Authenticated, readSession } from "./sessions.ts";
export { checkSlug, maxSlugCharacters, minSlugCharacters, refuseTakenSlug } from "./slug.ts";
export { createSocketTicket, redeemSocketTicket, type SocketTicket } from "./socket-ticket.ts";
export { hashToken, newToken } from "./token.ts";
export { type UpdateOrganization, updateOrganization } from "./update-organization.ts";
export { verifyEmail } from "./verify-email.ts";
export { requireOrganization } from "./require-organization.ts";
