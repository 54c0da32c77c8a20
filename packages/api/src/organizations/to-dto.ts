import { type InvitationView, type MembershipView, type MemberView, toPublicId } from "@sewa/core";
import { toOrganizationDto } from "../auth/to-dto.ts";
import type { InvitationDto, MemberDto, MembershipDto } from "./dto.ts";

export function toMembershipDto({ organization, role }: MembershipView): MembershipDto {
  return { organization: toOrganizationDto(organization), role };
}

export function toMemberDto({ userId, name, email, role, joinedAt }: MemberView): MemberDto {
  return { userId: toPublicId("user", userId), name, email, role, joinedAt };
}

export function toInvitationDto({ id, ...invitation }: InvitationView): InvitationDto {
  return { id: toPublicId("invitation", id), ...invitation };
}
