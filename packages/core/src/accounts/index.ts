export { acceptOperatorInvite } from "./accept-operator-invite.ts";
export { hashApiToken, isApiToken, newApiToken } from "./api-token.ts";
export { type BeginSignIn, beginSignIn, type BegunSignIn } from "./begin-sign-in.ts";
export { type CompleteSignIn, completeSignIn } from "./complete-sign-in.ts";
export { type ConfirmWith, confirmWith } from "./confirm-with.ts";
export { getBillingContact } from "./billing-contact.ts";
export { userColumns, type UserView } from "./account.ts";
export { clearLoginAttempts, returnAttempts, takeAttempts } from "./attempts.ts";
export { authenticate } from "./authenticate.ts";
export { beginTotp, type BegunTotp } from "./begin-totp.ts";
export { type ChangePassword, changePassword } from "./change-password.ts";
export { requireConfirmation } from "./confirmation.ts";
export { type ConfirmSession, confirmSession } from "./confirm-session.ts";
export { type DeletedExpired, deleteExpiredSessionsAndTokens } from "./delete-expired.ts";
export { isDisposable, refuseDisposableAddress } from "./disposable-address.ts";
export { disableTotp } from "./disable-totp.ts";
export { type EnabledTotp, enableTotp } from "./enable-totp.ts";
export { getMe, type Me } from "./get-me.ts";
export { getSignInMethods, type IdentityView, type SignInMethods } from "./get-sign-in-methods.ts";
export { getTotpStatus, type TotpStatus } from "./get-totp-status.ts";
export { checkName, normalizeEmail } from "./input.ts";
export { inviteOperator, type OperatorInvite } from "./invite-operator.ts";
export type { ProvenIdentity } from "./identities.ts";
export { linkIdentity } from "./link-identity.ts";
export { concludeImpersonations } from "./conclude-impersonations.ts";
export {
  endImpersonation,
  type Impersonate,
  impersonate,
  maxImpersonationMinutes,
  type StartedImpersonation,
} from "./impersonate.ts";
export { noteRefusedImpersonation } from "./note-refused-impersonation.ts";
export { resetSecondFactor, type ResetSecondFactor } from "./reset-second-factor.ts";
export { listSessions, type SessionView } from "./list-sessions.ts";
export { type LoggedIn, type LogIn, logIn } from "./log-in.ts";
export { logOut } from "./log-out.ts";
export { loggedOut } from "./logged-out.ts";
export { insertOrganization } from "./insert-organization.ts";
export { findRole, lockFounder, lockMembers, type Membership } from "./memberships.ts";
export { door } from "./sign-in.ts";
export { mintMailLink } from "./mint-mail-link.ts";
export {
  getOrganization,
  listOrganizationIdsAtLocalHour,
  lockEvenClosed,
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
  impersonable,
  isAllowed,
  isImpersonable,
  type MemberPermission,
  notForTokens,
  notWhileImpersonating,
  type OperatorPermission,
  type Permission,
  permissionTable,
} from "../permissions.ts";
export { type PreparedSignIn, type PrepareSignIn, prepareSignIn } from "./prepare-sign-in.ts";
export { type Register, register } from "./register.ts";
export { renewRecoveryCodes } from "./renew-recovery-codes.ts";
export { requestPasswordReset } from "./request-password-reset.ts";
export { resetPassword } from "./reset-password.ts";
export { portalAddressOf } from "./return-to.ts";
export { remindOperators } from "./remind-operators.ts";
export { revokeOtherSessions } from "./revoke-other-sessions.ts";
export { revokeSession } from "./revoke-session.ts";
export { operatorSessionHours, sessionIdleDays, sessionMaxDays } from "./session-adapter.ts";
export {
  accountSuspended,
  type Authenticated,
  type Impersonation,
  readSession,
  type SessionHolder,
  type StartedSession,
} from "./sessions.ts";
export { newSignInBrowser, type SignInAttempt, type SignInPurpose } from "./sign-in-attempts.ts";
export { type SignedIn, type SignInWith, signInWith } from "./sign-in-with.ts";
export { checkSlug, maxSlugCharacters, minSlugCharacters, refuseTakenSlug } from "./slug.ts";
export { createSocketTicket, redeemSocketTicket, type SocketTicket } from "./socket-ticket.ts";
export { type TakeSignIn, takeSignIn } from "./take-sign-in.ts";
export { hashToken, newToken } from "./token.ts";
export { getUserId, suspendUser, type SuspendUser, type Suspension, unsuspendUser } from "./suspend-user.ts";
export { type UpdateOrganization, updateOrganization } from "./update-organization.ts";
export { verifyEmail } from "./verify-email.ts";
export { requireOrganization } from "./require-organization.ts";
export { unlinkIdentity } from "./unlink-identity.ts";
