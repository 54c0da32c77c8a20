import {
  accountTokens,
  apiTokens,
  auditEntries,
  autoTopUps,
  billingPeriods,
  couponRedemptions,
  couponUses,
  creditNotes,
  creditNoteTaxes,
  events,
  freePlaces,
  identities,
  impersonations,
  instanceChanges,
  instanceHolds,
  instances,
  invitations,
  invoiceCollections,
  invoiceLines,
  invoices,
  invoiceTaxes,
  ledgerAccounts,
  ledgerEntries,
  ledgerTransactions,
  members,
  notifications,
  operations,
  orders,
  organizations,
  paymentIntents,
  paymentMethods,
  payments,
  recoveryCodes,
  refunds,
  secondFactors,
  sessions,
  spendingLimits,
  subscriptions,
  trials,
  uptimeDays,
  usageHours,
  usageRecords,
  usageTerms,
  users,
  walletAdjustments,
} from "@sewa/db/schema";
import { eq, isNull, like, or, type SQL } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { formatActor } from "../actor.ts";

/** Who exports, in the organization that is read. */
export interface Exporter {
  readonly userId: string;
  readonly isOwner: boolean;
}

export interface ExportedTable {
  readonly table: PgTable;
  /** `person`: read once. `organization`: read in each that the person is a member of. */
  readonly of: "person" | "organization";
  /** The column with the id of the organization, or of the person. */
  readonly key: string;
  /** Columns that open something, or are the house's own affair. */
  readonly without: readonly string[];
  /** Which of the rows; undefined for all, null for none. */
  which(exporter: Exporter): SQL | undefined | null;
}

const ofPerson = (table: PgTable, key: string, without: readonly string[] = []): ExportedTable => ({
  table,
  of: "person",
  key,
  without,
  which: () => undefined,
});

const ofOrganization = (
  table: PgTable,
  without: readonly string[] = [],
  which: ExportedTable["which"] = ({ isOwner }) => (isOwner ? undefined : null),
): ExportedTable => ({ table, of: "organization", key: "organizationId", without, which });

/** What a member has done or made, for who does not own the organization. */
const own =
  (mine: (userId: string) => SQL | undefined): ExportedTable["which"] =>
  ({ userId, isOwner }) =>
    isOwner ? undefined : mine(userId);

const link = ["clientSalt", "clientDigest", "detailsSalt", "detailsDigest", "digest", "chain"];
const actors = (userId: string): readonly [string, string] => {
  const actor = formatActor({ type: "user", userId, role: "owner" });
  return [actor, `${actor}:token:%`];
};

/**
 * Whatever is kept about a person and, for its owner, about an organization, in the order in which it is exported. A test reads the
 * catalogue: a table that is neither here nor in `notExported` fails, and so does a column that is named like a secret.
 */
export const exportedTables: readonly ExportedTable[] = [
  ofPerson(users, "id", ["passwordHash"]),
  ofPerson(sessions, "userId", ["id", "operatorId", "operatorSessionId"]),
  ofPerson(secondFactors, "userId", ["keyId", "sealed", "lastCounter"]),
  ofPerson(recoveryCodes, "userId", ["hash"]),
  ofPerson(identities, "userId"),
  ofPerson(accountTokens, "userId", ["id", "sessionId"]),
  { ...ofOrganization(organizations, ["parkedReason"], () => undefined), key: "id" },
  ofOrganization(
    members,
    [],
    own((userId) => eq(members.userId, userId)),
  ),
  ofOrganization(
    invitations,
    [],
    own((userId) => or(eq(invitations.invitedBy, userId), eq(invitations.userId, userId))),
  ),
  ofOrganization(
    apiTokens,
    ["hash"],
    own((userId) => eq(apiTokens.userId, userId)),
  ),
  ofOrganization(
    impersonations,
    ["operatorId"],
    own((userId) => eq(impersonations.userId, userId)),
  ),
  // What other members were written is theirs.
  ofOrganization(notifications, ["dedupeKey", "lastError"], ({ userId, isOwner }) =>
    isOwner ? or(eq(notifications.userId, userId), isNull(notifications.userId)) : eq(notifications.userId, userId),
  ),
  ofOrganization(orders),
  ofOrganization(subscriptions),
  ofOrganization(trials, ["emailHash"]),
  ofOrganization(freePlaces, ["emailHash"]),
  ofOrganization(instances, ["nodeName", "nodePool", "message"]),
  ofOrganization(instanceHolds, ["reason"]),
  ofOrganization(instanceChanges, ["factsHash", "worldHash", "hash", "effects"]),
  ofOrganization(operations, ["message"]),
  ofOrganization(uptimeDays),
  ofOrganization(usageHours),
  ofOrganization(usageTerms),
  ofOrganization(usageRecords),
  ofOrganization(spendingLimits),
  ofOrganization(couponRedemptions),
  ofOrganization(couponUses),
  ofOrganization(billingPeriods),
  ofOrganization(invoices),
  ofOrganization(invoiceLines),
  ofOrganization(invoiceTaxes),
  ofOrganization(invoiceCollections),
  ofOrganization(creditNotes),
  ofOrganization(creditNoteTaxes),
  ofOrganization(paymentMethods, ["fingerprint", "keyId", "sealed"]),
  ofOrganization(paymentIntents, ["checkoutUrl"]),
  ofOrganization(payments),
  ofOrganization(refunds),
  ofOrganization(autoTopUps),
  ofOrganization(walletAdjustments),
  ofOrganization(ledgerAccounts),
  ofOrganization(ledgerTransactions, ["idempotencyKey", "digest", "chain"]),
  ofOrganization(ledgerEntries),
  ofOrganization(
    events,
    [],
    own((userId) => actedIn(events, userId)),
  ),
  ofOrganization(
    auditEntries,
    link,
    own((userId) => actedIn(auditEntries, userId)),
  ),
];

function actedIn(table: typeof events | typeof auditEntries, userId: string): SQL | undefined {
  const [actor, tokens] = actors(userId);
  return or(eq(table.actor, actor), like(table.actor, tokens));
}

/** Why no export has anything of a table. */
export const notExported: Readonly<Record<string, string>> = {
  account_deletions: "of who is gone",
  addon_prices: "the catalog",
  addons: "the catalog",
  attempt_counters: "hashes that are gone within a day",
  audit_checkpoints: "signatures of the audit's chain",
  blueprint_versions: "the catalog",
  books_checkpoints: "how far the house has checked its books",
  books_findings: "what the house found in its books",
  books_runs: "when the house checked its books",
  capacity_holds: "room on the machines, as subscriptions and plans say",
  coupon_plans: "the catalog",
  coupons: "the house's; what was redeemed is exported",
  data_keys: "keys",
  house: "which installation this is",
  house_head: "the end of the house's audit",
  idempotency_records: "answers that are gone within two days",
  instance_leases: "which worker is busy",
  instance_probes: "the last look; the days are exported",
  instance_secrets: "credentials, shown by `instances.revealCredentials`",
  inventory_audits: "when the house looked at its cluster",
  inventory_findings: "what the house found in its cluster",
  invitation_tokens: "hashes of links",
  invoice_counters: "the house's series of numbers",
  key_rotations: "the house's keys",
  ledger_checkpoints: "signatures of the ledger's chain, and sums of what is gone from it",
  node_pools: "the house's machines",
  nodes: "the house's machines",
  offerings: "the catalog",
  operator_audit_entries: "what operators did to the house; what they did to an organization is in its own audit",
  organization_heads: "ends of chains and counters",
  payment_notices: "what providers said, word for word; what came of it is in payments",
  plans: "the catalog",
  prices: "the catalog",
  sewa_migrations: "the runner's own",
  sign_in_attempts: "hashes that are gone after ten minutes",
  simulated_hours: "made up for test clocks",
  tax_rates: "the house's",
  test_clocks: "the time of an organization for developers",
  usage_prices: "the catalog",
  usage_samples: "raw; rolled up in usage_hours",
  worker_pools: "the house's processes",
};
