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
  /** Each of its add-on, in each period. */
  readonly addonMinor: bigint;
  readonly meters: readonly OracleMeter[];
}

/** What use of one kind costs beyond what a period includes. */
export interface OracleMeter {
  readonly name: string;
  readonly unitMinor: bigint;
  readonly perQuantity: bigint;
  readonly includedQuantity: bigint;
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
  | { readonly type: "cancel" }
  | { readonly type: "change_plan"; readonly to: OraclePlan }
  | { readonly type: "change_addons"; readonly to: number }
  | { readonly type: "use"; readonly hours: readonly OracleHour[] };

/** What is known by now of a whole hour; later it may be more. */
export interface OracleHour {
  readonly at: number;
  readonly amounts: Readonly<Record<string, bigint>>;
}

export interface Story {
  readonly timeZone: string;
  readonly plan: OraclePlan;
  readonly addons: number;
  readonly coupon: OracleCoupon | null;
  /** Put on top of every invoice. */
  readonly taxBasisPoints: number;
  readonly orderedAt: number;
  /** Moments at which the house recorded what was used and looked at what is due, each before the customer's acts at that moment. */
  readonly steps: readonly { readonly at: number; readonly acts: readonly Act[] }[];
}

export interface OracleInvoice {
  readonly reason: "order" | "renewal" | "reactivation" | "change" | "usage";
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

interface Recorded {
  readonly meter: string;
  readonly plan: OraclePlan;
  readonly term: number;
  readonly index: number;
  readonly hour: number;
  readonly quantity: bigint;
  /** Which asks for it. */
  invoice: OracleInvoice | null;
}

interface UsageLine {
  readonly amountMinor: bigint;
  readonly records: readonly Recorded[];
  /** So much of what the period includes. */
  readonly counted: bigint;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export function judge(story: Story): Verdict {
  const { timeZone, coupon } = story;
  const invoices: OracleInvoice[] = [];
  /** Those that took a period of the coupon. */
  const discounted = new Set<OracleInvoice>();
  let couponLeft = coupon === null ? 0 : (coupon.periods ?? Number.POSITIVE_INFINITY);
  const spans: { readonly term: number; readonly index: number; readonly start: number; readonly end: number }[] = [];
  const serve = (start: number, end: number, place: { readonly term: number; readonly index: number }): void =>
    void spans.push({ ...place, start, end });
  const hours = new Map<number, OracleHour>();
  const records: Recorded[] = [];
  const asked: { readonly invoice: OracleInvoice; readonly line: UsageLine }[] = [];
  let { plan, addons } = story;
  let paidUpTo: { readonly start: number; price: bigint } | null = null;
  const prices = [{ from: story.orderedAt, plan }];
  let [cancelledAt, closingAt] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
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
  /** An hour counts whole or not at all, for the period and at the price in which it begins; once it is known, only what is more. */
  const rate = (at: number): void => {
    for (const hour of [...hours.values()].sort((a, b) => a.at - b.at)) {
      const isServing = status === "active" || status === "past_due";
      const isUnsure = isServing && hour.at + hourMs > boundary(index + 1);
      if (isUnsure || hour.at + hourMs > at - 300_000) continue;
      hours.delete(hour.at);
      const span = spans.find(({ start, end }) => start <= hour.at && hour.at < end);
      if (span === undefined) continue;
      const termEnd = Math.max(...spans.filter((other) => other.term === span.term).map(({ end }) => end));
      if (hour.at + hourMs > Math.min(termEnd, cancelledAt)) continue;
      const price = known(prices.findLast(({ from }) => from <= hour.at)?.plan ?? null);
      for (const { name: meter } of price.meters) {
        const before = records.filter((one) => one.meter === meter && one.hour === hour.at);
        const quantity = (hour.amounts[meter] ?? 0n) - sumOf(before.map((one) => one.quantity));
        const { term: inTerm, index: inPeriod } = span;
        if (quantity > 0n)
          records.push({ meter, plan: price, term: inTerm, index: inPeriod, hour: hour.at, quantity, invoice: null });
      }
    }
  };
  /** One for each meter of a period and each price, with what the lines before have left of what is included. */
  const draftUsage = (): readonly UsageLine[] => {
    const groups = new Map<string, Recorded[]>();
    for (const one of records) {
      if (one.invoice !== null) continue;
      const key = [one.term, one.index, one.meter, one.plan.slug].join(" ");
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    const order = [...groups.values()]
      .map((group) => ({ group, first: known(group[0] ?? null), from: Math.min(...group.map(({ hour }) => hour)) }))
      .sort(
        (a, b) =>
          a.first.term - b.first.term ||
          a.first.index - b.first.index ||
          Number(a.first.meter > b.first.meter) - Number(a.first.meter < b.first.meter) ||
          a.from - b.from,
      );
    const lines: UsageLine[] = [];
    for (const { group, first } of order) {
      const { plan: price, meter, term: inTerm, index: inPeriod } = first;
      const { unitMinor, perQuantity, includedQuantity } = known(
        price.meters.find(({ name }) => name === meter) ?? null,
      );
      const isSame = ({ records: [one] }: UsageLine): boolean =>
        one?.meter === meter && one.term === inTerm && one.index === inPeriod;
      const standing = asked.filter(({ invoice }) => invoice.status !== "void").map(({ line }) => line);
      const used = sumOf([...standing, ...lines].filter(isSame).map(({ counted }) => counted));
      const free = includedQuantity > used ? includedQuantity - used : 0n;
      const quantity = sumOf(group.map((one) => one.quantity));
      const counted = quantity < free ? quantity : free;
      lines.push({ amountMinor: halfUp((quantity - counted) * unitMinor, perQuantity), records: group, counted });
    }
    return lines;
  };
  const askForUse = (invoice: OracleInvoice, lines: readonly UsageLine[]): void => {
    for (const line of lines) {
      asked.push({ invoice, line });
      for (const one of line.records) one.invoice = invoice;
    }
  };
  const takenOff = (amountMinor: bigint): bigint => halfUp(amountMinor * BigInt(coupon?.basisPoints ?? 0), 10_000n);
  const askForPeriod = (
    reason: OracleInvoice["reason"],
    which: readonly [number, number],
    span: readonly [number, number] | null,
  ): OracleInvoice => {
    const isTrial = hasTrial && plan.trial !== null && which[0] === 1 && which[1] < plan.trial.periods;
    const base = isTrial && plan.trial !== null ? plan.trial.amountMinor : plan.amountMinor;
    const added = BigInt(addons) * plan.addonMinor;
    const setup = which[0] === 1 && which[1] === 0 && plan.setupMinor > 0n ? [plan.setupMinor] : [];
    const off = couponLeft > 0 ? takenOff(base + added) : 0n;
    const use = draftUsage();
    const lines = [base, ...(addons > 0 ? [added] : []), ...setup, ...(off > 0n ? [-off] : [])];
    const invoice = ask(reason, [...lines, ...use.map(({ amountMinor }) => amountMinor)], span);
    askForUse(invoice, use);
    if (off > 0n) {
      couponLeft -= 1;
      discounted.add(invoice);
    }
    return invoice;
  };
  const takeBack = (invoice: OracleInvoice): void => {
    invoice.status = "void";
    for (const one of records) if (one.invoice === invoice) one.invoice = null;
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
    serve(at, boundary(1), { term, index });
    next = null;
  };
  /** Whatever time asks for, step by step, as often as there is a step. */
  const look = (at: number): void => {
    for (;;) {
      const end = boundary(index + 1);
      if (status === "pending" && at >= story.orderedAt + dayMs) {
        cancel(at);
      } else if (status === "active" && at < end && next === null && !isEnding && at >= end - 7 * dayMs) {
        askForNext();
      } else if ((status === "active" || status === "past_due") && next?.status === "paid" && at >= end) {
        isCheaper = discounted.has(next);
        [status, index, next] = ["active", index + 1, null];
        serve(end, boundary(index + 1), { term, index });
      } else if (status === "active" && at >= end && !isEnding && plan.pastDueDays > 0) {
        if (next === null) askForNext();
        else status = "past_due";
      } else if (status === "active" && at >= end) {
        expire(at, end);
      } else if (status === "past_due" && at >= plusDays(end, plan.pastDueDays, timeZone)) {
        serve(end, Math.min(at, known(known(next).end)), { term, index: index + 1 });
        known(next).status = "uncollectible";
        expire(at, plusDays(end, plan.pastDueDays, timeZone));
      } else if (status === "expired" && at >= graceEnd) {
        cancel(at);
      } else if (status === "cancelled" && at >= closingAt) {
        settleUse(at);
      } else return;
    }
  };
  /** What was used is asked for when all of it is known. */
  const cancel = (at: number): void => {
    const end = boundary(index + 1);
    const ranUnpaid = status === "past_due" && at > end;
    [status, cancelledAt] = ["cancelled", at];
    if (next !== null && ranUnpaid) {
      serve(end, Math.min(at, known(next.end)), { term, index: index + 1 });
      next.status = "uncollectible";
    } else if (next !== null) takeBack(next);
    next = null;
    if (prices.some((each) => each.plan.meters.length > 0)) closingAt = at + 26 * hourMs;
  };
  const settleUse = (at: number): void => {
    closingAt = Number.POSITIVE_INFINITY;
    if (next?.status === "open") {
      next.status = "uncollectible";
      return;
    }
    const use = draftUsage();
    if (sumOf(use.map(({ amountMinor }) => amountMinor)) === 0n) return;
    const seen = use.flatMap((line) => line.records.map(({ hour }) => hour));
    const span = [Math.min(...seen), Math.max(...seen) + hourMs] as const;
    next = ask(
      "usage",
      use.map(({ amountMinor }) => amountMinor),
      span,
    );
    askForUse(next, use);
    closingAt = plusDays(at, 30, timeZone);
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
    if (status === "cancelled") next = null;
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
      case "cancel":
        return cancel(at);
      case "change_plan":
        hasTrial = false;
        prices.push({ from: at, plan: one.to });
        return change(at, one.to, addons);
      case "change_addons":
        return change(at, plan, one.to);
      case "use":
        for (const hour of one.hours) hours.set(hour.at, hour);
        return;
    }
  };
  /** Only what is dearer is asked for now, for the rest of the period. */
  const change = (at: number, to: OraclePlan, count: number): void => {
    const [start, end] = [boundary(index), boundary(index + 1)];
    const listed = (one: OraclePlan, many: number): bigint => one.amountMinor + BigInt(many) * one.addonMinor;
    const priceOf = (one: OraclePlan, many: number): bigint =>
      listed(one, many) - (isCheaper ? takenOff(listed(one, many)) : 0n);
    // What was paid in this period stays paid, also after a step down: its own price, and each step beyond it.
    if (paidUpTo?.start !== start) paidUpTo = { start, price: priceOf(plan, addons) };
    const now = priceOf(plan, addons);
    const before = now > paidUpTo.price ? now : paidUpTo.price;
    const more = priceOf(to, count) > before ? priceOf(to, count) - before : 0n;
    const asked = halfUp(more * BigInt(end - at), BigInt(end - start));
    // What is dearer is asked for, and be it with nothing.
    if (listed(to, count) > listed(plan, addons)) ask("change", [asked], [at, end]).status = "paid";
    if (asked > 0n) paidUpTo.price = priceOf(to, count);
    if (next?.status === "open") takeBack(next);
    if (next?.status === "void") next = null;
    [plan, addons] = [to, count];
    look(at);
  };
  next = askForPeriod("order", [1, 0], null);
  for (const { at, acts } of story.steps) {
    if (at < story.orderedAt) continue;
    rate(at);
    look(at);
    for (const one of acts) act(at, one);
  }
  return { status, invoices, periods: spans.map(({ start, end }) => [start, end]) };
}

function known<T>(value: T | null): T {
  if (value === null) throw new Error("The oracle knows of no invoice here.");
  return value;
}

function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, each) => total + each, 0n);
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
