import { randomUUID } from "node:crypto";
import type { AddonDto, OrderDto, PlanDetailDto, QuoteDto, QuoteInput } from "@sewa/api";
import type { Command } from "commander";
import { listAll, type Session, withApi } from "../client.ts";
import { Refusal, UsageError } from "../failure.ts";
import { formatMoney, formatTime, leaf, sheet, show, table, type JsonOption } from "../output.ts";
import { addonOption, parameterOption, toCounts, toTypes } from "./blueprint-input.ts";

interface QuoteOptions extends JsonOption {
  readonly param: Readonly<Record<string, string>>;
  readonly addon: Readonly<Record<string, string>>;
  readonly coupon?: string;
  readonly trial: boolean;
}

export function addOrderCommands(program: Command): void {
  leaf(program, "offerings", "what can be ordered").action(listOfferings);
  const group = program.command("orders").description("orders of the organization");
  leaf(group, "quote <plan>", "what a plan such as uptime-kuma/free costs, and whether there is room")
    .addOption(parameterOption())
    .addOption(addonOption())
    .option("--coupon <code>", "with this coupon")
    .option("--no-trial", "at its price from the first period on")
    .action(quote);
  leaf(group, "place <plan>", "order it at the price of now")
    .requiredOption("--name <name>", "what you call the app")
    .addOption(parameterOption())
    .addOption(addonOption())
    .option("--coupon <code>", "with this coupon")
    .option("--no-trial", "at its price from the first period on")
    .option("--key <key>", "the same key again orders once only")
    .action(place);
  leaf(group, "list", "orders, newest first").action(list);
}

async function listOfferings(options: JsonOption): Promise<void> {
  const offerings = await withApi(({ api }) => listAll((page) => api.offerings.list.query(page)));
  const rows = offerings.flatMap((offering) =>
    offering.plans.map((plan) => ({
      plan: `${offering.slug}/${plan.slug}`,
      app: offering.name,
      name: plan.name,
      price: plan.price === null ? "not for sale" : formatMoney(plan.price),
      per: plan.interval === "P1M" ? "month" : "30 days",
      memory: `${Math.round(plan.limits.memoryLimitBytes / 2 ** 20)} MiB`,
      storage: `${Math.round(plan.limits.storageBytes / 2 ** 20)} MiB`,
      "add-ons": plan.addons.map(describeAddon).join(", "),
    })),
  );
  show(options, offerings, () => table(rows, "Nothing is on offer."));
}

function describeAddon({ slug, addsStorageBytes, maxCount, price }: AddonDto): string {
  return `${slug} (up to ${maxCount}, each ${Math.round(addsStorageBytes / 2 ** 20)} MiB for ${formatMoney(price)})`;
}

async function quote(planName: string, options: QuoteOptions): Promise<void> {
  const answer = await withApi((session) => askQuote(session, planName, options));
  show(options, answer, () => describeQuote(answer));
}

interface PlaceOptions extends QuoteOptions {
  readonly name: string;
  readonly key?: string;
}

async function place(planName: string, options: PlaceOptions): Promise<void> {
  const order = await withApi(async (session) => {
    const plan = await findPlan(session, planName);
    const wish = wishOf(plan, options);
    const { priceKey } = await session.api.orders.quote.query(wish);
    return session.api.orders.place.mutate({
      ...wish,
      name: options.name,
      priceKey,
      idempotencyKey: options.key ?? randomUUID(),
    });
  });
  show(options, order, () => describeOrder(order));
}

async function list(options: JsonOption): Promise<void> {
  const orders = await withApi(({ api }) => listAll((page) => api.orders.list.query(page)));
  const rows = orders.map(({ id, status, total, placedAt, subscription }) => ({
    id,
    status,
    app: subscription.instanceName,
    plan: subscription.planName,
    total: formatMoney(total),
    placed: formatTime(placedAt),
  }));
  show(options, orders, () => table(rows, "No orders."));
}

async function askQuote(session: Session, planName: string, options: QuoteOptions): Promise<QuoteDto> {
  return session.api.orders.quote.query(wishOf(await findPlan(session, planName), options));
}

function wishOf(plan: PlanDetailDto, { param, addon, coupon, trial }: QuoteOptions): QuoteInput {
  const wish = {
    planId: plan.id,
    parameters: toTypes(plan.parameters, param),
    addons: toCounts(addon),
    withTrial: trial,
  };
  return coupon === undefined ? wish : { ...wish, couponCode: coupon };
}

/** By `offering/plan`, as `sewa offerings` shows it. */
async function findPlan({ api }: Session, planName: string): Promise<PlanDetailDto> {
  const [offeringSlug, planSlug, ...rest] = planName.split("/");
  if (!offeringSlug || !planSlug || rest.length > 0) {
    throw new UsageError(`"${planName}" is no plan; write it as offering/plan.`);
  }
  const offering = await api.offerings.get.query({ slug: offeringSlug });
  const plan = offering.plans.find(({ slug }) => slug === planSlug);
  if (plan === undefined) {
    const known = offering.plans.map(({ slug }) => `${offeringSlug}/${slug}`).join(", ");
    throw new Refusal(`There is no plan ${planName}; there is ${known}.`);
  }
  return plan;
}

function describeQuote(answer: QuoteDto): string {
  const lines = answer.lines.map(({ description, amount }) => ({ line: description, amount: formatMoney(amount) }));
  const { currency } = answer.total;
  const taxes = answer.taxes.map(({ name, percent, isInclusive, amountMinor }) => ({
    line: `${name} ${percent}%${isInclusive ? " (included)" : ""}`,
    amount: formatMoney({ amountMinor, currency }),
  }));
  return [
    table([...lines, ...taxes, { line: "total", amount: formatMoney(answer.total) }], ""),
    "",
    sheet({
      "first period": `${formatTime(answer.period.start)} to ${formatTime(answer.period.end)}`,
      "later periods": formatMoney(answer.laterTotal),
      "renewal opens": formatTime(answer.renewalOpensAt),
      "data kept until": formatTime(answer.dataDeletedAt),
      room: answer.capacity.fits ? "yes" : `no (${answer.capacity.reason ?? "unknown"})`,
    }),
  ].join("\n");
}

function describeOrder({ id, status, total, subscription }: OrderDto): string {
  return [
    sheet({
      order: id,
      status,
      total: formatMoney(total),
      subscription: subscription.id,
      app: subscription.instanceId,
    }),
    "",
    `Follow it with: sewa instances watch ${subscription.instanceId}`,
  ].join("\n");
}
