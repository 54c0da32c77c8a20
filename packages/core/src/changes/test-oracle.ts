/**
 * What a subscription has to be asked for, worked out anew from what its customer did. It takes no line from the code that it
 * judges, nor the library which that counts time with: this file imports nothing.
 */

export interface OraclePlan {
  readonly slug: string;
  readonly amountMinor: bigint;
  readonly interval: "P30D" | "P1M";
  readonly pastDueDays: number;
  readonly graceDays: number;
  /** Once, with the first invoice. */
  readonly setupMinor: bigint;
  /** So many first periods cost this. */
  readonly trial: { readonly periods: number; readonly amountMinor: bigint } | null;
}

export interface OracleCoupon {
  readonly basisPoints: number;
  /** Null: for ever. */
  readonly periods: number | null;
}

/** What its customer does at a step; money is always all that is asked for. */
export type Act =
  | { readonly type: "pay" }
  | { readonly type: "renew" }
  | { readonly type: "end" }
  | { readonly type: "undo_end" }
  | { readonly type: "change_plan"; readonly to: OraclePlan };

export interface Story {
  readonly timeZone: string;
  readonly plan: OraclePlan;
  readonly coupon: OracleCoupon | null;
  /** Put on top of every invoice. */
  readonly taxBasisPoints: number;
  readonly orderedAt: number;
  /** Moments at which the house looked at what is due, each before the customer's acts at that moment. */
  readonly steps: readonly { readonly at: number; readonly acts: readonly Act[] }[];
}

export interface OracleInvoice {
  readonly reason: "order" | "renewal" | "reactivation" | "change";
  status: "open" | "paid" | "void" | "uncollectible";
  readonly lines: readonly bigint[];
  readonly totalMinor: bigint;
  start: number | null;
  end: number | null;
}

export interface Verdict {
  readonly status: string;
  readonly invoices: readonly OracleInvoice[];
  /** Start and end of each period of service. */
  readonly periods: readonly (readonly [number, number])[];
}

const dayMs = 86_400_000;

export function judge(story: Story): Verdict {
  const { timeZone, coupon } = story;
  const invoices: OracleInvoice[] = [];
  /** Those that took a period of the coupon. */
  const discounted = new Set<OracleInvoice>();
  let couponLeft = coupon === null ? 0 : (coupon.periods ?? Number.POSITIVE_INFINITY);
  const periods: (readonly [number, number])[] = [];
  let { plan } = story;
  let status = "pending";
  let next: OracleInvoice | null = null;
  let [anchor, term, index, graceEnd] = [0, 0, 0, 0];
  let [isEnding, isCheaper, hasTrial] = [false, false, true];
  const boundary = (count: number): number => boundaryOf(anchor, plan.interval, timeZone, count);
  const ask = (
    reason: OracleInvoice["reason"],
    lines: readonly bigint[],
    span: readonly [number, number] | null,
  ): OracleInvoice => {
    const sum = lines.reduce((total, line) => total + line, 0n);
    const invoice: OracleInvoice = {
      reason,
      status: "open",
      lines,
      totalMinor: sum + halfUp(sum * BigInt(story.taxBasisPoints), 10_000n),
      start: span?.[0] ?? null,
      end: span?.[1] ?? null,
    };
    invoices.push(invoice);
    return invoice;
  };
  const takenOff = (amountMinor: bigint): bigint => halfUp(amountMinor * BigInt(coupon?.basisPoints ?? 0), 10_000n);
  const askForPeriod = (
    reason: OracleInvoice["reason"],
    which: readonly [number, number],
    span: readonly [number, number] | null,
  ): OracleInvoice => {
    const isTrial = hasTrial && plan.trial !== null && which[0] === 1 && which[1] < plan.trial.periods;
    const base = isTrial && plan.trial !== null ? plan.trial.amountMinor : plan.amountMinor;
    const setup = which[0] === 1 && which[1] === 0 && plan.setupMinor > 0n ? [plan.setupMinor] : [];
    const off = couponLeft > 0 ? takenOff(base) : 0n;
    const invoice = ask(reason, [base, ...setup, ...(off > 0n ? [-off] : [])], span);
    if (off > 0n) {
      couponLeft -= 1;
      discounted.add(invoice);
    }
    return invoice;
  };
  const takeBack = (invoice: OracleInvoice): void => {
    invoice.status = "void";
    if (discounted.has(invoice)) couponLeft += 1;
  };
  const askForNext = (): void =>
    void (next = askForPeriod("renewal", [term, index + 1], [boundary(index + 1), boundary(index + 2)]));
  const beginTerm = (at: number): void => {
    [status, anchor, term, index, isEnding] = ["active", at, term + 1, 0, false];
    const first = known(next);
    isCheaper = discounted.has(first);
    first.start = at;
    first.end = boundary(1);
    periods.push([at, boundary(1)]);
    next = null;
  };
  /** Whatever time asks for, step by step, as often as there is a step. */
  const look = (at: number): void => {
    for (;;) {
      const end = boundary(index + 1);
      if (status === "pending" && at >= story.orderedAt + dayMs) {
        status = "cancelled";
        takeBack(known(next));
        next = null;
      } else if (status === "active" && at < end && next === null && !isEnding && at >= end - 7 * dayMs) {
        askForNext();
      } else if ((status === "active" || status === "past_due") && next?.status === "paid" && at >= end) {
        isCheaper = discounted.has(next);
        [status, index, next] = ["active", index + 1, null];
        periods.push([end, boundary(index + 1)]);
      } else if (status === "active" && at >= end && !isEnding && plan.pastDueDays > 0) {
        if (next === null) askForNext();
        else status = "past_due";
      } else if (status === "active" && at >= end) {
        expire(at, end);
      } else if (status === "past_due" && at >= plusDays(end, plan.pastDueDays, timeZone)) {
        periods.push([end, Math.min(at, known(known(next).end))]);
        known(next).status = "uncollectible";
        expire(at, plusDays(end, plan.pastDueDays, timeZone));
      } else if (status === "expired" && at >= graceEnd) {
        status = "cancelled";
        if (next !== null) takeBack(next);
        next = null;
      } else return;
    }
  };
  const expire = (at: number, dueAt: number): void => {
    status = "expired";
    if (next?.status === "open") takeBack(next);
    next = null;
    graceEnd = Math.max(plusDays(dueAt, plan.graceDays, timeZone), plusDays(at, Math.min(plan.graceDays, 7), timeZone));
  };
  const pay = (at: number): void => {
    if (next?.status !== "open") throw new Error("The oracle knows of nothing to pay.");
    next.status = "paid";
    if (status === "pending" || status === "expired") beginTerm(at);
    look(at);
  };
  const act = (at: number, one: Act): void => {
    switch (one.type) {
      case "pay":
        return pay(at);
      case "renew":
        if (next !== null) return;
        if (status === "expired") next = askForPeriod("reactivation", [term + 1, 0], null);
        else askForNext();
        return;
      case "end":
        isEnding = true;
        if (next?.status === "open") takeBack(next);
        if (next?.status === "void") next = null;
        return;
      case "undo_end":
        isEnding = false;
        return look(at);
      case "change_plan": {
        const [start, end] = [boundary(index), boundary(index + 1)];
        const priceOf = ({ amountMinor }: OraclePlan): bigint => amountMinor - (isCheaper ? takenOff(amountMinor) : 0n);
        const more = priceOf(one.to) - priceOf(plan);
        if (more > 0n) ask("change", [halfUp(more * BigInt(end - at), BigInt(end - start))], [at, end]).status = "paid";
        hasTrial = false;
        if (next?.status === "open") takeBack(next);
        if (next?.status === "void") next = null;
        plan = one.to;
        return look(at);
      }
    }
  };
  next = askForPeriod("order", [1, 0], null);
  for (const { at, acts } of story.steps) {
    if (at < story.orderedAt) continue;
    look(at);
    for (const one of acts) act(at, one);
  }
  return { status, invoices, periods };
}

function known<T>(value: T | null): T {
  if (value === null) throw new Error("The oracle knows of no invoice here.");
  return value;
}

/** To the nearest whole; exactly half goes up. */
function halfUp(amount: bigint, parts: bigint): bigint {
  const whole = amount / parts;
  return (amount % parts) * 2n >= parts ? whole + 1n : whole;
}

function boundaryOf(anchor: number, interval: OraclePlan["interval"], timeZone: string, count: number): number {
  if (count === 0) return anchor;
  const wall = new Date(anchor + offsetAt(anchor, timeZone));
  if (interval === "P30D") return instantOf(wall.getTime() + count * 30 * dayMs, timeZone, "later");
  const month = new Date(wall);
  month.setUTCDate(1);
  month.setUTCMonth(month.getUTCMonth() + count);
  const lastDay = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 0)).getUTCDate();
  month.setUTCDate(Math.min(wall.getUTCDate(), lastDay));
  return instantOf(month.getTime(), timeZone, "later");
}

function plusDays(at: number, days: number, timeZone: string): number {
  return instantOf(at + offsetAt(at, timeZone) + days * dayMs, timeZone, "earlier");
}

/** The moment at which a clock on the wall shows this. Of an hour that comes twice the one asked for; one that never comes is the hour after. */
function instantOf(wall: number, timeZone: string, which: "earlier" | "later"): number {
  const [before, behind] = [offsetAt(wall - dayMs, timeZone), offsetAt(wall + dayMs, timeZone)];
  const fitting = [wall - before, wall - behind].filter((at) => at + offsetAt(at, timeZone) === wall);
  if (fitting.length === 0) return wall - before;
  return which === "later" ? Math.max(...fitting) : Math.min(...fitting);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the wall is ahead of UTC. */
function offsetAt(at: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const two = "2-digit";
    const fields = { year: "numeric", month: two, day: two, hour: two, minute: two, second: two } as const;
    format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", ...fields });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const of = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(at / 1_000) * 1_000;
}
