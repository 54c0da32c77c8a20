import {
  type CouponRow,
  type CouponView,
  createCoupon,
  deactivateCoupon,
  deleteCoupon,
  fromMajor,
  fromPublicId,
  listCoupons,
  type NewDiscount,
  toPublicId,
} from "@sewa/core";
import { type Command, Option } from "commander";
import { listAll } from "../client.ts";
import { UsageError } from "../failure.ts";
import { organizationIdOf, withCore } from "../operator.ts";
import { formatMoney, formatTime, type JsonOption, leaf, sheet, show, table } from "../output.ts";

/** What operators give away. */
export function addCouponCommands(program: Command): void {
  const group = program.command("coupons").description("what is taken off invoices");
  leaf(group, "create <code>", "make a coupon; its terms never change")
    .addOption(new Option("--percent <percent>", "take off so much, such as 12.5").conflicts("amount"))
    .option("--amount <amount>", "take off so much of each period, in the house's currency")
    .option("--periods <count>", "on so many invoices of a subscription; all unless told", toCount)
    .option("--max <count>", "for so many organizations; any number unless told", toCount)
    .option("--from <time>", "redeemable from then on, such as 2026-12-01T00:00:00Z", toTime)
    .option("--until <time>", "and until then", toTime)
    .option("--plan <plan...>", "for these plans alone, pln_…")
    .option("--organization <organization>", "for this organization alone, org_…")
    .action(create);
  leaf(group, "deactivate <coupon>", "let nobody redeem it any more; who has it keeps it").action(deactivate);
  leaf(group, "delete <coupon>", "remove one that nobody ever redeemed").action(remove);
  leaf(group, "list", "coupons, newest first").action(list);
}

interface CreateOptions extends JsonOption {
  readonly percent?: string;
  readonly amount?: string;
  readonly periods?: number;
  readonly max?: number;
  readonly from?: Date;
  readonly until?: Date;
  readonly plan?: readonly string[];
  readonly organization?: string;
}

async function create(code: string, options: CreateOptions): Promise<void> {
  const { organization, plan = [] } = options;
  const planIds = plan.map((id) => idOf("plan", id));
  const organizationId = organization === undefined ? null : organizationIdOf(organization);
  const view = await withCore((ctx) =>
    createCoupon(ctx, {
      code,
      discount: discountOf(options, ctx.config.currency),
      periods: options.periods ?? null,
      maxRedemptions: options.max ?? null,
      startsAt: options.from ?? null,
      endsAt: options.until ?? null,
      planIds,
      organizationId,
    }),
  );
  show(options, view, () => describe(view));
}

async function deactivate(coupon: string, options: JsonOption): Promise<void> {
  const id = idOf("coupon", coupon);
  const view = await withCore((ctx) => deactivateCoupon(ctx, id));
  show(options, view, () => `${view.coupon.code} is redeemed by nobody any more. ${view.coupon.redeemed} keep it.`);
}

async function remove(coupon: string, options: JsonOption): Promise<void> {
  const id = idOf("coupon", coupon);
  const view = await withCore((ctx) => deleteCoupon(ctx, id));
  show(options, view, () => `${view.coupon.code} is gone.`);
}

async function list(options: JsonOption): Promise<void> {
  const views = await withCore((ctx) => listAll((page) => listCoupons(ctx, page)));
  const rows = views.map(({ coupon }) => ({
    id: toPublicId("coupon", coupon.id),
    code: coupon.code,
    off: describeDiscount(coupon),
    periods: coupon.periods ?? "all",
    redeemed: coupon.maxRedemptions === null ? coupon.redeemed : `${coupon.redeemed} of ${coupon.maxRedemptions}`,
    until: coupon.endsAt === null ? "-" : formatTime(coupon.endsAt),
    status: coupon.deactivatedAt === null ? "active" : "deactivated",
  }));
  show(options, views, () => table(rows, "No coupons."));
}

function describe({ coupon, planIds }: CouponView): string {
  return sheet({
    coupon: toPublicId("coupon", coupon.id),
    code: coupon.code,
    off: describeDiscount(coupon),
    plans: planIds.length === 0 ? "all" : planIds.map((id) => toPublicId("plan", id)).join(", "),
    from: coupon.startsAt === null ? "-" : formatTime(coupon.startsAt),
    until: coupon.endsAt === null ? "-" : formatTime(coupon.endsAt),
  });
}

function describeDiscount({ basisPoints, amountMinor, currency }: CouponRow): string {
  if (basisPoints !== null) return `${basisPoints / 100} %`;
  return formatMoney({ amountMinor: amountMinor ?? 0n, currency: currency ?? "" });
}

function discountOf({ percent, amount }: CreateOptions, currency: string): NewDiscount {
  if (amount !== undefined) return { kind: "amount", ...fromMajor(amount, currency) };
  if (percent === undefined) throw new UsageError("Say what is taken off: --percent or --amount.");
  const match = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(percent);
  if (match === null) throw new UsageError(`"${percent}" is no percentage; write it as 12.5.`);
  const [, whole = "", hundredths = ""] = match;
  return { kind: "percent", basisPoints: Number(whole) * 100 + Number(hundredths.padEnd(2, "0")) };
}

function idOf(kind: "coupon" | "plan", text: string): string {
  const id = fromPublicId(kind, text);
  if (id === null) throw new UsageError(`"${text}" is no ${kind}; write it as ${kind === "plan" ? "pln" : "cpn"}_….`);
  return id;
}

function toCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`"${text}" is no count.`);
  return Number(text);
}

function toTime(text: string): Date {
  const time = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime()))
    throw new UsageError(`"${text}" is no time; write it as 2026-12-01T00:00:00Z.`);
  return time;
}
