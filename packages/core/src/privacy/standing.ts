import { invoices, members, organizations, paymentIntents, subscriptions } from "@sewa/db/schema";
import { and, eq, inArray, ne, or } from "drizzle-orm";
import { assert } from "../errors.ts";
import { organizationOf, type Tx } from "../context.ts";
import type { MemberRole } from "../roles.ts";
import { listWalletBalances } from "../wallet/index.ts";

/** What stands in the way of a deletion, and what its user has to do about it. */
export const obstacleWords = {
  LAST_OPERATOR: "The house keeps an operator. Invite another one first.",
  SOLE_OWNER:
    "Others belong to this organization and nobody else owns it. Make somebody else an owner, or remove them.",
  LIVE_APPS: "Apps run or wait here. Cancel each of them, now or at the end of its period.",
  UNPAID_INVOICES: "Invoices are open here. Pay them, or cancel what they are for.",
  PAYMENT_IN_PROGRESS: "A payment is under way here. Wait until it has ended, or cancel it.",
  WALLET_BALANCE: "Money is in the wallet. Use it up, or ask us to pay it back.",
} as const;
export type ObstacleCode = keyof typeof obstacleWords;

/** How an organization of the user stands, and what becomes of it with them. */
export interface Standing {
  readonly organizationId: string;
  readonly name: string;
  readonly role: MemberRole;
  /** `left`: others stay. `closed`: it is the user's alone. */
  readonly becomes: "left" | "closed";
  readonly obstacles: readonly ObstacleCode[];
  /** Apps that stop by themselves, when what was paid and the grace period are over. */
  readonly endingApps: number;
  /** Numbered ones, which are kept. */
  readonly invoices: number;
}

/** Of the organization that the transaction is bound to; null when the user is no member any more. */
export async function findStanding(tx: Tx, userId: string): Promise<Standing | null> {
  const organizationId = organizationOf(tx);
  const rows = await tx.sql
    .select({ userId: members.userId, role: members.role })
    .from(members)
    .where(eq(members.organizationId, organizationId));
  const own = rows.find((row) => row.userId === userId);
  if (own === undefined) return null;
  const isAlone = rows.length === 1;
  const isSoleOwner = own.role === "owner" && rows.filter(({ role }) => role === "owner").length === 1;
  const [organization] = await tx.sql
    .select({ name: organizations.name })
    .from(organizations)
    .where(eq(organizations.id, organizationId));
  assert(organization !== undefined, "a member's organization exists");
  const common = { organizationId, name: organization.name, role: own.role };
  const left = { ...common, becomes: "left" as const, endingApps: 0, invoices: 0 };
  if (!isAlone) return { ...left, obstacles: isSoleOwner ? ["SOLE_OWNER"] : [] };
  return { ...common, becomes: "closed", ...(await weighAlone(tx, organizationId)) };
}

/** What ends by itself is no obstacle: it is paid for, and nothing follows. */
async function weighAlone(tx: Tx, organizationId: string) {
  const ofSubscriptions = eq(subscriptions.organizationId, organizationId);
  const endingApps = await tx.sql.$count(
    subscriptions,
    and(
      ofSubscriptions,
      or(
        eq(subscriptions.status, "expired"),
        and(eq(subscriptions.status, "active"), eq(subscriptions.cancelAtPeriodEnd, true)),
      ),
    ),
  );
  const all = await tx.sql.$count(subscriptions, and(ofSubscriptions, ne(subscriptions.status, "cancelled")));
  const ofInvoices = eq(invoices.organizationId, organizationId);
  const open = await tx.sql.$count(invoices, and(ofInvoices, eq(invoices.status, "open")));
  const numbered = await tx.sql.$count(invoices, and(ofInvoices, ne(invoices.status, "draft")));
  const paying = await tx.sql.$count(
    paymentIntents,
    and(eq(paymentIntents.organizationId, organizationId), inArray(paymentIntents.status, ["created", "pending"])),
  );
  const balances = await listWalletBalances(tx);
  const found: Readonly<Partial<Record<ObstacleCode, boolean>>> = {
    LIVE_APPS: all > endingApps,
    UNPAID_INVOICES: open > 0,
    PAYMENT_IN_PROGRESS: paying > 0,
    WALLET_BALANCE: balances.some(({ amountMinor }) => amountMinor !== 0n),
  };
  const obstacles = (Object.keys(found) as ObstacleCode[]).filter((code) => found[code]);
  return { obstacles, endingApps, invoices: numbered };
}
