import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  boolean,
  char,
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, counter, id, insertedAt } from "./columns.ts";

export const users = pgTable(
  "users",
  {
    id: id(),
    /** Lower case, as core normalised it. */
    email: text().notNull(),
    name: text().notNull(),
    /** argon2id; null until an invited operator has chosen a password, and for who signs in by a provider alone. */
    passwordHash: text(),
    /** Null where it is as old as the account. Real time. */
    passwordSetAt: at(),
    locale: text({ enum: ["id", "en"] }).notNull(),
    emailVerifiedAt: at(),
    isOperator: boolean().notNull().default(false),
    suspendedAt: at(),
    /** Nobody any more: the row stays for what points to it, without a name, an address and a password. */
    deletedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    uniqueIndex("users_email_key").on(t.email),
    check("users_email_lower", sql`${t.email} = lower(${t.email})`),
    check(
      "users_deleted",
      sql`${t.deletedAt} is null or (${t.passwordHash} is null and ${t.emailVerifiedAt} is null and not ${t.isOperator})`,
    ),
  ],
);

/** Of a deleted user what has yet to be found and erased elsewhere. The server has no right to it. */
export const accountDeletions = pgTable(
  "account_deletions",
  {
    userId: uuid()
      .primaryKey()
      .references(() => users.id),
    /** Until it is erased wherever it stands. */
    email: text(),
    deletedAt: at().notNull(),
    erasedAt: at(),
  },
  (t) => [
    index("account_deletions_unerased")
      .on(t.userId)
      .where(sql`${t.erasedAt} is null`),
    check("account_deletions_erased", sql`(${t.erasedAt} is null) = (${t.email} is not null)`),
  ],
);

/** What an organization decides for itself. Never queried. */
export interface OrganizationSettings {
  /** Only addresses of these domains are invited; any when there are none. */
  readonly allowedEmailDomains: readonly string[];
}

export const organizations = pgTable(
  "organizations",
  {
    id: id(),
    name: text().notNull(),
    /** Its name in addresses: what a DNS label can be. Random until somebody chooses one. */
    slug: text()
      .notNull()
      .default(sql`'org-' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 16)`),
    settings: jsonb().$type<OrganizationSettings>().notNull().default({ allowedEmailDomains: [] }),
    /** IANA name; periods and reminder hours are computed in it. */
    timeZone: text().notNull(),
    /** Of who pays, as the tax office writes it (NPWP); printed on invoices. */
    taxId: text(),
    /** ISO 3166 code; null where nobody has said it. */
    country: char({ length: 2 }),
    /** Its books are wrong: no money moves until an operator has looked. Business time. */
    parkedAt: at(),
    parkedReason: text(),
    /** Since when money can be taken again; null when it always could. */
    unparkedAt: at(),
    /** Its only member has deleted their account: nothing begins any more, what there is comes to its end. */
    closedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    uniqueIndex("organizations_slug_key").on(t.slug),
    index("organizations_parked")
      .on(t.id)
      .where(sql`${t.parkedAt} is not null`),
    check("organizations_parked_why", sql`(${t.parkedAt} is null) = (${t.parkedReason} is null)`),
  ],
);

export const members = pgTable(
  "members",
  {
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    role: text({ enum: ["owner", "admin", "developer", "billing", "viewer"] }).notNull(),
    createdAt: insertedAt(),
  },
  (t) => [primaryKey({ columns: [t.organizationId, t.userId] }), index("members_user").on(t.userId)],
);

/** Somebody is asked to become a member, at an address that may have no account yet. */
export const invitations = pgTable(
  "invitations",
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    /** As core normalised it. */
    email: text().notNull(),
    role: text({ enum: ["owner", "admin", "developer", "billing", "viewer"] }).notNull(),
    status: text({ enum: ["pending", "accepted", "declined", "revoked", "expired"] }).notNull(),
    invitedBy: uuid()
      .notNull()
      .references(() => users.id),
    /** Who has accepted. */
    userId: uuid().references(() => users.id),
    /** Real time. A pending one is worth nothing from then on. */
    expiresAt: at().notNull(),
    settledAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("invitations_organization_key").on(t.organizationId, t.id),
    uniqueIndex("invitations_one_pending")
      .on(t.organizationId, t.email)
      .where(sql`${t.status} = 'pending'`),
    check("invitations_settled", sql`(${t.status} = 'pending') = (${t.settledAt} is null)`),
    check("invitations_accepted_by", sql`(${t.status} = 'accepted') = (${t.userId} is not null)`),
  ],
);

/** Links that were mailed; the id is the SHA-256 of the token. A mail that was sent twice has two, and both work. */
export const invitationTokens = pgTable(
  "invitation_tokens",
  {
    id: text().primaryKey(),
    organizationId: uuid().notNull(),
    invitationId: uuid().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    index("invitation_tokens_invitation").on(t.organizationId, t.invitationId),
    foreignKey({
      name: "invitation_tokens_invitation_fk",
      columns: [t.organizationId, t.invitationId],
      foreignColumns: [invitations.organizationId, invitations.id],
    }),
  ],
);

/** The id is the SHA-256 of the token: whoever reads this table cannot log in with it. */
export const sessions = pgTable(
  "sessions",
  {
    id: text().primaryKey(),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    expiresAt: at().notNull(),
    /** The session ends here, however often it was renewed. */
    absoluteExpiresAt: at().notNull(),
    /** What its user sees of it; stays the same when the token is renewed. */
    handle: uuid()
      .notNull()
      .default(sql`gen_random_uuid()`),
    /** Where the log-in came from and with what; null where nobody said it. */
    clientAddress: text(),
    userAgent: text(),
    /** Written every few minutes at most. */
    lastSeenAt: insertedAt(),
    /** When its user last proved to be themselves, by log-in or by being asked again. */
    confirmedAt: insertedAt(),
    /** Who acts as the user with it, an operator, in this one organization; null in the user's own sessions. */
    operatorId: uuid().references(() => users.id),
    /** It does not outlive the operator's own. */
    operatorSessionId: text().references((): AnyPgColumn => sessions.id, { onDelete: "cascade", onUpdate: "cascade" }),
    spokenForId: uuid().references(() => organizations.id),
    /** Why, as the user is told. */
    impersonationReason: text(),
    createdAt: insertedAt(),
  },
  (t) => [
    check(
      "sessions_impersonation",
      sql`num_nulls(${t.operatorId}, ${t.operatorSessionId}, ${t.spokenForId}, ${t.impersonationReason}) in (0, 4) and ${t.operatorId} is distinct from ${t.userId}`,
    ),
    index("sessions_operator_session").on(t.operatorSessionId),
    uniqueIndex("sessions_handle_key").on(t.handle),
    index("sessions_user").on(t.userId),
    index("sessions_expiry").on(t.expiresAt),
    check("sessions_end", sql`${t.expiresAt} <= ${t.absoluteExpiresAt}`),
  ],
);

/** An operator acts, or has acted, as a user in an organization. Kept when its session is gone. */
export const impersonations = pgTable(
  "impersonations",
  {
    /** The handle of its session. */
    id: uuid().primaryKey(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    operatorId: uuid()
      .notNull()
      .references(() => users.id),
    reason: text().notNull(),
    /** Real time, as the next two are. */
    startedAt: at().notNull(),
    /** It ends then at the latest. */
    endsAt: at().notNull(),
    /** When it was found to be over, and told so. */
    endedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    unique("impersonations_organization_key").on(t.organizationId, t.id),
    index("impersonations_running")
      .on(t.id)
      .where(sql`${t.endedAt} is null`),
    check("impersonations_end", sql`${t.endsAt} > ${t.startedAt} and ${t.userId} <> ${t.operatorId}`),
  ],
);

/** The second factor of a user, RFC 6238. Not asked for before it was switched on. */
export const secondFactors = pgTable("second_factors", {
  userId: uuid()
    .primaryKey()
    .references(() => users.id),
  keyId: text().notNull(),
  /** The secret, encrypted. */
  sealed: text().notNull(),
  enabledAt: at(),
  /** The interval of the last code that was taken: it and those before it are worth nothing any more. */
  lastCounter: counter(),
  createdAt: insertedAt(),
});

/** What a user logs in with who has lost the second factor, each once; the hash is the SHA-256 of the code. */
export const recoveryCodes = pgTable(
  "recovery_codes",
  {
    userId: uuid()
      .notNull()
      .references(() => secondFactors.userId, { onDelete: "cascade" }),
    hash: text().notNull(),
    usedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.hash] })],
);

/** Accounts at providers by which a user signs in. What names one is issuer and subject; the address is shown and decides nothing. */
export const identities = pgTable(
  "identities",
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    issuer: text().notNull(),
    subject: text().notNull(),
    /** As the provider said it when the identity was linked. */
    email: text(),
    lastUsedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [uniqueIndex("identities_subject_key").on(t.issuer, t.subject), index("identities_user").on(t.userId)],
);

/** Ways to a provider that were begun and not ended; the id is the SHA-256 of the state, or of a ticket that begins one. */
export const signInAttempts = pgTable(
  "sign_in_attempts",
  {
    id: text().primaryKey(),
    purpose: text({ enum: ["sign_in", "link", "confirm"] }).notNull(),
    provider: text().notNull(),
    /** SHA-256 of what the browser holds that began it; null for a ticket, which no browser has opened yet. */
    browserHash: text(),
    /** For whom something is linked or confirmed; not a key, because sessions get new tokens. */
    userId: uuid(),
    sessionId: text(),
    /** Path of the portal. */
    returnTo: text().notNull(),
    expiresAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [
    index("sign_in_attempts_expiry").on(t.expiresAt),
    check("sign_in_attempts_holder", sql`(${t.purpose} = 'sign_in') = (${t.sessionId} is null)`),
    check("sign_in_attempts_user", sql`(${t.userId} is null) = (${t.sessionId} is null)`),
    check("sign_in_attempts_browser", sql`${t.browserHash} is not null or ${t.sessionId} is not null`),
  ],
);

/** One-time tokens; the id is the SHA-256 of the token. */
export const accountTokens = pgTable(
  "account_tokens",
  {
    id: text().primaryKey(),
    kind: text({ enum: ["verify_email", "reset_password", "admin_invite", "socket_ticket", "sign_in_step"] }).notNull(),
    userId: uuid()
      .notNull()
      .references(() => users.id),
    /** A socket ticket stands for this session and dies with it. */
    sessionId: text().references(() => sessions.id, { onDelete: "cascade" }),
    expiresAt: at().notNull(),
    usedAt: at(),
    createdAt: insertedAt(),
  },
  (t) => [
    index("account_tokens_user").on(t.userId, t.kind),
    index("account_tokens_expiry").on(t.expiresAt),
    check("account_tokens_session", sql`(${t.kind} = 'socket_ticket') = (${t.sessionId} is not null)`),
  ],
);

/** Counts of tries in a window: log-in and sign-up limits that hold over all processes. */
export const attemptCounters = pgTable(
  "attempt_counters",
  { key: text().primaryKey(), count: counter().notNull(), windowEndsAt: at().notNull() },
  (t) => [index("attempt_counters_end").on(t.windowEndsAt)],
);

/** Present for organizations that live on a test clock. `targetAt` is ahead of `nowAt` while it is being advanced. */
export const testClocks = pgTable(
  "test_clocks",
  {
    organizationId: uuid()
      .primaryKey()
      .references(() => organizations.id),
    nowAt: at().notNull(),
    targetAt: at().notNull(),
    createdAt: insertedAt(),
  },
  (t) => [check("test_clocks_forward", sql`${t.targetAt} >= ${t.nowAt}`)],
);
