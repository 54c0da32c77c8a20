import { boolean, jsonb, pgView, text, uuid } from "drizzle-orm/pg-core";
import type { OrganizationSettings } from "./accounts.ts";
import { at } from "./columns.ts";

const role = () => text({ enum: ["owner", "admin", "developer", "billing", "viewer"] });

/** The functions of the migration `row_security` that open before it is known who comes: what they answer with. */
export const signIn = pgView("sign_in", {
  userId: uuid().notNull(),
  email: text().notNull(),
  name: text().notNull(),
  locale: text({ enum: ["id", "en"] }).notNull(),
  isOperator: boolean().notNull(),
  emailVerifiedAt: at(),
  suspendedAt: at(),
  /** Null in `sign_in_by_session` for who is no member there. */
  organizationId: uuid(),
  role: role(),
  /** Of `sign_in_by_email` alone. */
  passwordHash: text(),
  /** Of `sign_in_by_session` alone. */
  sessionId: text().notNull(),
  expiresAt: at().notNull(),
  absoluteExpiresAt: at().notNull(),
  handle: uuid().notNull(),
  clientAddress: text(),
  userAgent: text(),
  lastSeenAt: at().notNull(),
  confirmedAt: at().notNull(),
  operatorId: uuid(),
  operatorSessionId: text(),
  spokenForId: uuid(),
  impersonationReason: text(),
  /** Of `sign_in_by_token` alone. */
  tokenId: text().notNull(),
  /** Of `sign_in_by_identity` alone. */
  identityId: uuid().notNull(),
}).existing();

/** `spend_sign_in_attempt`. */
export const spentAttempt = pgView("spent_attempt", {
  purpose: text({ enum: ["sign_in", "link", "confirm"] }).notNull(),
  userId: uuid(),
  sessionId: text(),
  returnTo: text().notNull(),
  createdAt: at().notNull(),
}).existing();

/** `home_of` and `memberships_of`: what a user belongs to, whichever organization the transaction is bound to. */
export const belonging = pgView("belonging", {
  /** Of `home_of` alone. */
  organizationId: uuid().notNull(),
  role: role().notNull(),
  /** From here on of `memberships_of` alone. */
  id: uuid().notNull(),
  name: text().notNull(),
  slug: text().notNull(),
  timeZone: text().notNull(),
  taxId: text(),
  country: text(),
  settings: jsonb().$type<OrganizationSettings>().notNull(),
}).existing();

/** `sign_in_by_api_token`. */
export const apiTokenHolder = pgView("api_token_holder", {
  tokenId: uuid().notNull(),
  organizationId: uuid().notNull(),
  userId: uuid().notNull(),
  role: role().notNull(),
  scopes: jsonb().$type<readonly string[]>().notNull(),
  allowedNetworks: jsonb().$type<readonly string[]>().notNull(),
  expiresAt: at(),
  revokedAt: at(),
  lastUsedAt: at(),
  suspendedAt: at(),
}).existing();

/** `invitation_by_token`. */
export const invited = pgView("invited", {
  invitationId: uuid().notNull(),
  organizationId: uuid().notNull(),
  organizationName: text().notNull(),
  inviterName: text().notNull(),
  email: text().notNull(),
  role: role().notNull(),
  status: text({ enum: ["pending", "accepted", "declined", "revoked", "expired"] }).notNull(),
  expiresAt: at().notNull(),
}).existing();
