import type { MemberRoleDto, OrganizationSettingsDto } from "../organizations/dto.ts";

export interface UserDto {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  /** Language of the mails. */
  readonly locale: "id" | "en";
  readonly isOperator: boolean;
  readonly isEmailVerified: boolean;
}

export interface OrganizationDto {
  readonly id: string;
  readonly name: string;
  /** Its name in addresses; no two have the same. */
  readonly slug: string;
  /** IANA name; periods are computed in it. */
  readonly timeZone: string;
  /** Printed on invoices; null where nobody has said it. */
  readonly taxId: string | null;
  readonly country: string | null;
  readonly settings: OrganizationSettingsDto;
}

export interface MeDto {
  readonly user: UserDto;
  /** That this call speaks for: what the header `sewa-organization` names, else the oldest membership. */
  readonly organization: OrganizationDto;
  /** In that organization. */
  readonly role: MemberRoleDto;
  readonly isOperator: boolean;
  /** Where the organization's test clock stands; null on real time. */
  readonly testClockNow: Date | null;
  /** Set while it is an operator who acts as this user: show it on every page. */
  readonly impersonation: ImpersonationDto | null;
}

export interface ImpersonationDto {
  readonly reason: string;
  readonly endsAt: Date;
}

export interface SessionDto {
  /** For clients without cookies: `Authorization: Bearer …`, or `token` in the connection parameters of a WebSocket. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly user: UserDto;
}

export interface SocketTicketDto {
  /** Opens one WebSocket within a minute, as `ticket` in its connection parameters. */
  readonly ticket: string;
  readonly expiresAt: Date;
}

export interface RegisterInput {
  readonly email: string;
  /** 8 to 128 characters, and none of those that everybody tries first. */
  readonly password: string;
  readonly name: string;
  readonly organizationName?: string | undefined;
  /** Indonesian unless told. */
  readonly locale?: "id" | "en" | undefined;
}

export interface LogInInput {
  readonly email: string;
  readonly password: string;
  /** Of the authenticator app, or a recovery code; asked for with TOTP_REQUIRED where the second factor is on. */
  readonly code?: string | undefined;
}

export interface ChangePasswordInput {
  readonly currentPassword: string;
  readonly newPassword: string;
}

/** The password, or a code where the second factor is on. */
export interface ConfirmInput {
  readonly password?: string | undefined;
  readonly code?: string | undefined;
}

export interface ConfirmationDto {
  /** Until then nothing is refused with CONFIRMATION_REQUIRED. */
  readonly confirmedUntil: Date;
}

/** The session goes on under this token, and the former one is worth nothing. The cookie is set anew, but not over a WebSocket. */
export interface RenewedSessionDto {
  readonly token: string;
  readonly expiresAt: Date;
}

/** One of the user's own that live. */
export interface OpenSessionDto {
  readonly id: string;
  /** What the log-in was made with and where from, as far as that was said. */
  readonly userAgent: string | null;
  readonly clientAddress: string | null;
  readonly createdAt: Date;
  /** To a few minutes. */
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  /** Why an operator acts as you with it; null for your own. */
  readonly impersonationReason: string | null;
  /** The one that asks. */
  readonly isCurrent: boolean;
}

export interface OpenSessionPageDto {
  readonly items: readonly OpenSessionDto[];
  readonly nextCursor: string | null;
}

export interface RevokeSessionInput {
  readonly sessionId: string;
}

export interface RevokedSessionsDto {
  readonly count: number;
}

export interface TotpDto {
  /** Null while log-in asks for the password alone. */
  readonly enabledAt: Date | null;
  readonly recoveryCodesLeft: number;
}

export interface TotpSecretDto {
  /** Base32, for who cannot read a picture. */
  readonly secret: string;
  /** `otpauth://totp/…`: draw it as a picture for the app, in the browser and nowhere else. */
  readonly uri: string;
}

export interface CodeInput {
  readonly code: string;
}

/** Told this one time; each logs in once without the app. */
export interface RecoveryCodesDto {
  readonly recoveryCodes: readonly string[];
}

export interface EnabledTotpDto extends RenewedSessionDto, RecoveryCodesDto {}

export interface TokenInput {
  readonly token: string;
}

export interface RequestPasswordResetInput {
  readonly email: string;
}

export interface ResetPasswordInput {
  readonly token: string;
  readonly newPassword: string;
}

/** A provider by which people sign in: lead the browser to `/sign-in/<name>?returnTo=<path of the portal>` of this server. */
export interface SignInProviderDto {
  readonly name: string;
  readonly label: string;
  /** `auth.identities.confirm` works with it. */
  readonly canConfirm: boolean;
}

export interface SignInProvidersDto {
  readonly providers: readonly SignInProviderDto[];
}

/** `ticket`: what the portal finds behind the `#` of the address that a sign-in with a second factor leads to. */
export interface CompleteSignInInput {
  readonly ticket: string;
  readonly code: string;
}

export interface IdentityDto {
  readonly id: string;
  /** Null when it is not configured any more, and nobody signs in by it. */
  readonly provider: string | null;
  readonly providerLabel: string;
  readonly email: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** By what the user comes in. */
export interface SignInMethodsDto {
  readonly hasPassword: boolean;
  readonly identities: readonly IdentityDto[];
}

export interface PrepareSignInInput {
  readonly provider: string;
  /** Path of the portal to come back to. */
  readonly returnTo: string;
}

export interface PreparedSignInDto {
  /** Lead the browser there, on this server; it has to hold the session as its cookie. */
  readonly path: string;
  readonly expiresAt: Date;
}

export interface UnlinkIdentityInput {
  readonly identityId: string;
}

export interface AcceptOperatorInviteInput {
  readonly token: string;
  readonly password: string;
  readonly name?: string | undefined;
}

/** What has happened now. The same answer whether or not anybody has the address. */
export interface AuthStatusDto {
  readonly status:
    | "verification_sent"
    | "verified"
    | "reset_sent"
    | "password_reset"
    | "accepted"
    | "logged_out"
    | "revoked"
    | "unlinked";
}

/**
 * A row of what is kept, as the README of `privacy` describes it: `row` is JSON, with moments as ISO 8601, whole numbers of any size as
 * text and ids as UUIDs.
 */
export interface ExportedRecordDto {
  readonly table: string;
  readonly organizationId: string;
  readonly row: Readonly<Record<string, unknown>>;
}

/** May be short or empty while `nextCursor` says that there is more. */
export interface ExportPageDto {
  readonly items: readonly ExportedRecordDto[];
  readonly nextCursor: string | null;
}

export type DeletionObstacleDto =
  "LAST_OPERATOR" | "SOLE_OWNER" | "LIVE_APPS" | "UNPAID_INVOICES" | "PAYMENT_IN_PROGRESS" | "WALLET_BALANCE";

export interface DeletionPreviewDto {
  /** None anywhere: the account can be deleted. */
  readonly obstacles: readonly { readonly code: DeletionObstacleDto; readonly message: string }[];
  readonly organizations: readonly {
    readonly id: string;
    readonly name: string;
    /** `left`: others stay. `closed`: it goes with the account. */
    readonly becomes: "left" | "closed";
    readonly obstacles: readonly { readonly code: DeletionObstacleDto; readonly message: string }[];
    /** Apps that stop by themselves, when what was paid and the grace period are over. */
    readonly endingApps: number;
    /** They are kept. */
    readonly invoices: number;
  }[];
  /** What is kept after it, and why. */
  readonly kept: readonly {
    readonly what: "invoices" | "payments" | "ledger" | "audit" | "trials" | "answers";
    readonly why: "accounting" | "security" | "fairness" | "two_days";
  }[];
}

export interface DeletionDto {
  readonly userId: string;
  readonly deletedAt: Date;
}
