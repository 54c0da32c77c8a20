import {
  type CoreContext,
  type FindOfOrganizationInput,
  findInstances,
  findOrders,
  findOrganizations,
  findPayments,
  findSubscriptions,
  findUsers,
  toPublicId,
} from "@sewa/core";
import { type Command, Option } from "commander";
import { organizationIdOf, withCore } from "../operator.ts";
import { formatMoney, formatTime, type JsonOption, leaf, type Row, show, table } from "../output.ts";

interface FindOptions extends JsonOption {
  readonly organization?: string;
  readonly limit: string;
}

/** What is said of each, in a table. */
type List = (ctx: CoreContext, input: FindOfOrganizationInput) => Promise<readonly Row[]>;

/** Of the house. */
const own: Readonly<Record<string, List>> = {
  organizations: async (ctx, input) =>
    (await findOrganizations(ctx, input)).items.map((row) => ({
      id: toPublicId("organization", row.id),
      name: row.name,
      members: row.members,
      apps: row.liveSubscriptions,
      parked: row.parkedAt === null ? "-" : formatTime(row.parkedAt),
      since: formatTime(row.createdAt),
    })),
  users: async (ctx, input) =>
    (await findUsers(ctx, input)).items.map((row) => ({
      id: toPublicId("user", row.id),
      email: row.email,
      name: row.name,
      operator: row.isOperator ? "yes" : "no",
      suspended: row.suspendedAt === null ? "-" : formatTime(row.suspendedAt),
      organizations: row.organizations.map(({ id, role }) => `${toPublicId("organization", id)} (${role})`).join(", "),
    })),
};

/** What belongs to an organization. */
const owned: Readonly<Record<string, List>> = {
  orders: async (ctx, input) =>
    (await findOrders(ctx, input)).items.map((row) => ({
      id: toPublicId("order", row.id),
      organization: row.organizationName,
      plan: `${row.offeringSlug}/${row.planSlug}`,
      total: formatMoney({ amountMinor: row.totalMinor, currency: row.currency }),
      placed: formatTime(row.placedAt),
    })),
  subscriptions: async (ctx, input) =>
    (await findSubscriptions(ctx, input)).items.map((row) => ({
      id: toPublicId("subscription", row.id),
      organization: row.organizationName,
      app: row.instanceName,
      plan: `${row.offeringSlug}/${row.planSlug}`,
      status: row.status,
      price: formatMoney({ amountMinor: row.amountMinor, currency: row.currency }),
      until: formatTime(row.currentPeriodEnd),
    })),
  instances: async (ctx, input) =>
    (await findInstances(ctx, input)).items.map((row) => ({
      id: toPublicId("instance", row.id),
      organization: row.organizationName,
      name: row.name,
      host: row.host,
      desired: row.desiredPhase,
      observed: row.observedPhase,
      node: row.nodeName,
      holds: row.holds.map(({ kind }) => kind).join(", "),
    })),
  payments: async (ctx, input) =>
    (await findPayments(ctx, input)).items.map((row) => ({
      id: toPublicId("payment", row.id),
      organization: row.organizationName,
      provider: row.provider,
      reference: row.reference,
      amount: formatMoney({ amountMinor: row.amountMinor, currency: row.currency }),
      received: formatTime(row.receivedAt),
    })),
};

export function addFindCommands(program: Command): void {
  const group = program.command("find").description("look something up, across all organizations; newest first");
  for (const [kind, list] of Object.entries({ ...own, ...owned })) {
    const command = leaf(group, `${kind} [search]`, `${kind} by id or a part of the name`);
    if (kind in owned) command.option("--organization <id>", "of one organization");
    command
      .addOption(new Option("--limit <count>", "at most so many").choices(["20", "100"]).default("20"))
      .action(async (search: string | undefined, { organization, limit, json }: FindOptions) => {
        const organizationId = organization === undefined ? undefined : organizationIdOf(organization);
        const rows = await withCore((ctx) => list(ctx, { search, organizationId, limit: Number(limit) }));
        show({ json: json === true }, rows, () => table(rows, `No ${kind}.`));
      });
  }
}
