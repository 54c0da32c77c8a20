import { memberRoles } from "@sewa/core";
import { z } from "zod";
import type { MemberRoleDto } from "../organizations/dto.ts";
import { name, opaque, pageSchema, publicId, type Schema } from "../schema.ts";
import type {
  AcceptOperatorInviteInput,
  AuthStatusDto,
  ChangePasswordInput,
  CodeInput,
  CompleteSignInInput,
  ConfirmationDto,
  ConfirmInput,
  EnabledTotpDto,
  LogInInput,
  MeDto,
  OpenSessionDto,
  OpenSessionPageDto,
  OrganizationDto,
  PreparedSignInDto,
  PrepareSignInInput,
  RecoveryCodesDto,
  RegisterInput,
  RenewedSessionDto,
  RequestPasswordResetInput,
  ResetPasswordInput,
  RevokedSessionsDto,
  RevokeSessionInput,
  SessionDto,
  SignInMethodsDto,
  SignInProvidersDto,
  SocketTicketDto,
  TokenInput,
  TotpDto,
  TotpSecretDto,
  UnlinkIdentityInput,
  UserDto,
} from "./dto.ts";

const email = opaque(508);
const password = opaque(1_000);
// Far more than any of ours has: whatever is in a link, the answer is TOKEN_INVALID, as for one that has been used.
const token = opaque(16_384);
const code = opaque(40);
const locale = z.enum(["id", "en"]);

export const registerInput: Schema<RegisterInput> = z.strictObject({
  email,
  password,
  name,
  organizationName: name.optional(),
  locale: locale.optional(),
});
export const logInInput: Schema<LogInInput> = z.strictObject({ email, password, code: code.optional() });
export const tokenInput: Schema<TokenInput> = z.strictObject({ token });
export const requestPasswordResetInput: Schema<RequestPasswordResetInput> = z.strictObject({ email });
export const resetPasswordInput: Schema<ResetPasswordInput> = z.strictObject({ token, newPassword: password });
export const acceptOperatorInviteInput: Schema<AcceptOperatorInviteInput> = z.strictObject({
  token,
  password,
  name: name.optional(),
});

export const changePasswordInput: Schema<ChangePasswordInput> = z.strictObject({
  currentPassword: password,
  newPassword: password,
});
export const confirmInput: Schema<ConfirmInput> = z.strictObject({
  password: password.optional(),
  code: code.optional(),
});
export const completeSignInInput: Schema<CompleteSignInInput> = z.strictObject({ ticket: token, code });
export const prepareSignInInput: Schema<PrepareSignInInput> = z.strictObject({
  provider: opaque(40),
  returnTo: opaque(500),
});
export const unlinkIdentityInput: Schema<UnlinkIdentityInput> = z.strictObject({ identityId: publicId });
export const codeInput: Schema<CodeInput> = z.strictObject({ code });
export const revokeSessionInput: Schema<RevokeSessionInput> = z.strictObject({ sessionId: publicId });

const userSchema: Schema<UserDto> = z.strictObject({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  locale,
  isOperator: z.boolean(),
  isEmailVerified: z.boolean(),
});

const maxDomainCharacters = 253;
const maxDomains = 20;
export const settingsShape = { allowedEmailDomains: z.array(opaque(maxDomainCharacters)).max(maxDomains) };
export const roleSchema: Schema<MemberRoleDto> = z.enum(memberRoles);

export const organizationSchema: Schema<OrganizationDto> = z.strictObject({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  timeZone: z.string(),
  taxId: z.string().nullable(),
  country: z.string().nullable(),
  settings: z.strictObject(settingsShape),
});
export const meSchema: Schema<MeDto> = z.strictObject({
  user: userSchema,
  organization: organizationSchema,
  role: roleSchema,
  isOperator: z.boolean(),
  testClockNow: z.date().nullable(),
  impersonation: z.strictObject({ reason: z.string(), endsAt: z.date() }).nullable(),
});
export const sessionSchema: Schema<SessionDto> = z.strictObject({
  token: z.string(),
  expiresAt: z.date(),
  user: userSchema,
});
export const socketTicketSchema: Schema<SocketTicketDto> = z.strictObject({ ticket: z.string(), expiresAt: z.date() });
export const authStatusSchema: Schema<AuthStatusDto> = z.strictObject({
  status: z.enum([
    "verification_sent",
    "verified",
    "reset_sent",
    "password_reset",
    "accepted",
    "logged_out",
    "revoked",
    "unlinked",
  ]),
});

const openSessionSchema: Schema<OpenSessionDto> = z.strictObject({
  id: z.string(),
  userAgent: z.string().nullable(),
  clientAddress: z.string().nullable(),
  createdAt: z.date(),
  lastSeenAt: z.date(),
  expiresAt: z.date(),
  impersonationReason: z.string().nullable(),
  isCurrent: z.boolean(),
});
export const openSessionPageSchema: Schema<OpenSessionPageDto> = pageSchema(openSessionSchema);
export const revokedSessionsSchema: Schema<RevokedSessionsDto> = z.strictObject({ count: z.number() });
const renewedShape = { token: z.string(), expiresAt: z.date() };
export const renewedSessionSchema: Schema<RenewedSessionDto> = z.strictObject(renewedShape);
export const confirmationSchema: Schema<ConfirmationDto> = z.strictObject({ confirmedUntil: z.date() });

const recoveryCodes = z.array(z.string());
export const totpSchema: Schema<TotpDto> = z.strictObject({
  enabledAt: z.date().nullable(),
  recoveryCodesLeft: z.number(),
});
export const totpSecretSchema: Schema<TotpSecretDto> = z.strictObject({ secret: z.string(), uri: z.string() });
export const recoveryCodesSchema: Schema<RecoveryCodesDto> = z.strictObject({ recoveryCodes });
export const enabledTotpSchema: Schema<EnabledTotpDto> = z.strictObject({ ...renewedShape, recoveryCodes });

export const signInProvidersSchema: Schema<SignInProvidersDto> = z.strictObject({
  providers: z.array(z.strictObject({ name: z.string(), label: z.string(), canConfirm: z.boolean() })),
});
export const preparedSignInSchema: Schema<PreparedSignInDto> = z.strictObject({
  path: z.string(),
  expiresAt: z.date(),
});
export const signInMethodsSchema: Schema<SignInMethodsDto> = z.strictObject({
  hasPassword: z.boolean(),
  identities: z.array(
    z.strictObject({
      id: z.string(),
      provider: z.string().nullable(),
      providerLabel: z.string(),
      email: z.string().nullable(),
      createdAt: z.date(),
      lastUsedAt: z.date().nullable(),
    }),
  ),
});
