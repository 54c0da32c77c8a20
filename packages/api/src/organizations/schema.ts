import { maxSlugCharacters, memberRoles } from "@sewa/core";
import { z } from "zod";
import { organizationSchema, roleSchema, settingsShape } from "../auth/schema.ts";
import { idempotencyKey, name, opaque, pageSchema, publicId, type Schema, text } from "../schema.ts";
import type {
  ChangeRoleInput,
  CreateInvitationInput,
  CreateOrganizationInput,
  InvitationDto,
  InvitationInput,
  InvitationPageDto,
  InvitationPreviewDto,
  MemberDto,
  MemberInput,
  MemberPageDto,
  MembershipDto,
  MembershipPageDto,
  RemoveMemberInput,
  UpdateOrganizationInput,
} from "./dto.ts";

const maxTaxIdCharacters = 40;
const maxTimeZoneCharacters = 60;
const slug = text(1, maxSlugCharacters);
const email = opaque(508);
const role = z.enum(memberRoles);

export const updateOrganizationInput: Schema<UpdateOrganizationInput> = z.strictObject({
  name: name.optional(),
  slug: slug.optional(),
  timeZone: text(1, maxTimeZoneCharacters).optional(),
  taxId: text(1, maxTaxIdCharacters).nullable().optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "Write a country as two capital letters, such as ID.")
    .nullable()
    .optional(),
  settings: z.strictObject({ allowedEmailDomains: settingsShape.allowedEmailDomains.optional() }).optional(),
});
export const createOrganizationInput: Schema<CreateOrganizationInput> = z.strictObject({
  name,
  slug: slug.optional(),
  idempotencyKey,
});
export const memberInput: Schema<MemberInput> = z.strictObject({ userId: publicId });
export const changeRoleInput: Schema<ChangeRoleInput> = z.strictObject({ userId: publicId, role });
export const removeMemberInput: Schema<RemoveMemberInput> = z.strictObject({ userId: publicId, idempotencyKey });
export const createInvitationInput: Schema<CreateInvitationInput> = z.strictObject({ email, role, idempotencyKey });
export const invitationInput: Schema<InvitationInput> = z.strictObject({ invitationId: publicId });

export const membershipSchema: Schema<MembershipDto> = z.strictObject({
  organization: organizationSchema,
  role: roleSchema,
});
export const membershipPageSchema: Schema<MembershipPageDto> = pageSchema(membershipSchema);

export const memberSchema: Schema<MemberDto> = z.strictObject({
  userId: z.string(),
  name: z.string(),
  email: z.string(),
  role: roleSchema,
  joinedAt: z.date(),
});
export const memberPageSchema: Schema<MemberPageDto> = pageSchema(memberSchema);

const status = z.enum(["pending", "accepted", "declined", "revoked", "expired"]);
export const invitationSchema: Schema<InvitationDto> = z.strictObject({
  id: z.string(),
  email: z.string(),
  role: roleSchema,
  status,
  inviterName: z.string().nullable(),
  expiresAt: z.date(),
  createdAt: z.date(),
});
export const invitationPageSchema: Schema<InvitationPageDto> = pageSchema(invitationSchema);
export const invitationPreviewSchema: Schema<InvitationPreviewDto> = z.strictObject({
  organizationName: z.string(),
  inviterName: z.string(),
  email: z.string(),
  role: roleSchema,
  status,
  expiresAt: z.date(),
});
