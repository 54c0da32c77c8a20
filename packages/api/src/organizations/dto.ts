import type { OrganizationDto } from "../auth/dto.ts";

export interface OrganizationSettingsDto {
  /** Only addresses of these domains are invited; any when there are none. */
  readonly allowedEmailDomains: readonly string[];
}

/** What is left out stays; null takes it away. */
export interface UpdateOrganizationInput {
  readonly name?: string | undefined;
  /** In addresses: 3 to 40 lower-case letters, digits and single hyphens. */
  readonly slug?: string | undefined;
  /** IANA name. Subscriptions that run keep theirs. */
  readonly timeZone?: string | undefined;
  /** As the tax office writes it (NPWP). */
  readonly taxId?: string | null | undefined;
  /** ISO 3166, as `ID`: which taxes hold. */
  readonly country?: string | null | undefined;
  readonly settings?: { readonly allowedEmailDomains?: readonly string[] | undefined } | undefined;
}

export interface CreateOrganizationInput {
  readonly name: string;
  readonly slug?: string | undefined;
  readonly idempotencyKey: string;
}

/** From the most to the least; developer and billing stand beside each other. */
export type MemberRoleDto = "owner" | "admin" | "developer" | "billing" | "viewer";

/** An organization, and as what one belongs to it. */
export interface MembershipDto {
  readonly organization: OrganizationDto;
  readonly role: MemberRoleDto;
}

export interface MembershipPageDto {
  readonly items: readonly MembershipDto[];
  readonly nextCursor: string | null;
}

export interface MemberDto {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly role: MemberRoleDto;
  readonly joinedAt: Date;
}

export interface MemberPageDto {
  readonly items: readonly MemberDto[];
  readonly nextCursor: string | null;
}

export interface MemberInput {
  readonly userId: string;
}

export interface ChangeRoleInput {
  readonly userId: string;
  readonly role: MemberRoleDto;
}

export interface RemoveMemberInput {
  readonly userId: string;
  readonly idempotencyKey: string;
}

export interface InvitationDto {
  readonly id: string;
  readonly email: string;
  readonly role: MemberRoleDto;
  readonly status: InvitationStatusDto;
  /** Null once they are no member any more. */
  readonly inviterName: string | null;
  readonly expiresAt: Date;
  readonly createdAt: Date;
}

export type InvitationStatusDto = "pending" | "accepted" | "declined" | "revoked" | "expired";

export interface InvitationPageDto {
  readonly items: readonly InvitationDto[];
  readonly nextCursor: string | null;
}

export interface CreateInvitationInput {
  readonly email: string;
  readonly role: MemberRoleDto;
  readonly idempotencyKey: string;
}

export interface InvitationInput {
  readonly invitationId: string;
}

/** What whoever holds the link of an invitation may know before they answer. */
export interface InvitationPreviewDto {
  readonly organizationName: string;
  readonly inviterName: string;
  /** Whoever accepts has to be logged in with this address. */
  readonly email: string;
  readonly role: MemberRoleDto;
  readonly status: InvitationStatusDto;
  readonly expiresAt: Date;
}

/** What an API token may do, as far as its member may: see `docs/permissions.md`. */
export type TokenScopeDto = "read" | "apps" | "orders" | "billing" | "credentials" | "organization";

/** An API token, without what it opens with. */
export interface TokenDto {
  readonly id: string;
  readonly name: string;
  /** How it begins. */
  readonly hint: string;
  /** The member for whom it speaks. */
  readonly userId: string;
  /** Null when they are no member any more. */
  readonly userName: string | null;
  readonly scopes: readonly TokenScopeDto[];
  /** From where it is good, in CIDR notation; from everywhere when there are none. */
  readonly allowedNetworks: readonly string[];
  readonly status: "active" | "expired" | "revoked";
  /** Null: never. */
  readonly expiresAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
  readonly lastUsedAddress: string | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
}

export interface CreatedTokenDto extends TokenDto {
  /** Shown this one time: `Authorization: Bearer …`, or `token` in the connection parameters of a WebSocket. */
  readonly token: string;
}

export interface TokenPageDto {
  readonly items: readonly TokenDto[];
  readonly nextCursor: string | null;
}

export interface CreateTokenInput {
  readonly name: string;
  readonly scopes: readonly TokenScopeDto[];
  /** Null: it does not end by itself, which only an owner may choose. */
  readonly expiresInDays: 30 | 90 | 365 | null;
  /** At most 20 networks as `192.0.2.0/24`, or single addresses; from everywhere unless told. */
  readonly allowedNetworks?: readonly string[] | undefined;
  readonly idempotencyKey: string;
}

export interface RevokeTokenInput {
  readonly tokenId: string;
}
