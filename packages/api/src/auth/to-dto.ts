import { type Me, toPublicId, type UserView } from "@sewa/core";
import type { MeDto, UserDto } from "./dto.ts";

export function toUserDto({ id, email, name, locale, isOperator, isEmailVerified }: UserView): UserDto {
  return { id: toPublicId("user", id), email, name, locale, isOperator, isEmailVerified };
}

export function toMeDto({ user, organization, isOperator, testClockNow }: Me): MeDto {
  const { id, name, timeZone } = organization;
  return {
    user: toUserDto(user),
    organization: { id: toPublicId("organization", id), name, timeZone },
    isOperator,
    testClockNow,
  };
}
