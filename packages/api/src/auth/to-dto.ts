import {
  type Me,
  type Organization,
  type SessionView,
  type SignInMethods,
  toPublicId,
  type UserView,
} from "@sewa/core";
import type { Caller } from "../context.ts";
import type { MeDto, OpenSessionDto, OrganizationDto, SignInMethodsDto, UserDto } from "./dto.ts";

export function toUserDto({ id, email, name, locale, isOperator, isEmailVerified }: UserView): UserDto {
  return { id: toPublicId("user", id), email, name, locale, isOperator, isEmailVerified };
}

export function toMeDto(
  { user, organization, role, isOperator, testClockNow }: Me,
  impersonation: Caller["impersonation"],
): MeDto {
  return {
    user: toUserDto(user),
    organization: toOrganizationDto(organization),
    role,
    isOperator,
    testClockNow,
    // Which operator it is, is nobody's business but the house's.
    impersonation: impersonation === null ? null : { reason: impersonation.reason, endsAt: impersonation.endsAt },
  };
}

export function toOrganizationDto({ id, ...organization }: Organization): OrganizationDto {
  return { id: toPublicId("organization", id), ...organization };
}

export function toOpenSessionDto({ id, ...session }: SessionView): OpenSessionDto {
  return { id: toPublicId("session", id), ...session };
}

export function toSignInMethodsDto({ hasPassword, identities }: SignInMethods): SignInMethodsDto {
  return {
    hasPassword,
    identities: identities.map(({ id, ...identity }) => ({ id: toPublicId("identity", id), ...identity })),
  };
}
