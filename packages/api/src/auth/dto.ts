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
  /** 8 to 200 characters. */
  readonly password: string;
  readonly name: string;
  readonly organizationName?: string | undefined;
  /** Indonesian unless told. */
  readonly locale?: "id" | "en" | undefined;
}

export interface LogInInput {
  readonly email: string;
  readonly password: string;
}

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

export interface AcceptOperatorInviteInput {
  readonly token: string;
  readonly password: string;
  readonly name?: string | undefined;
}

/** What has happened now. The same answer whether or not anybody has the address. */
export interface AuthStatusDto {
  readonly status: "verification_sent" | "verified" | "reset_sent" | "password_reset" | "accepted" | "logged_out";
}
