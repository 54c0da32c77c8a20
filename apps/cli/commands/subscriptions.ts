import { randomUUID } from "node:crypto";
import type { SubscriptionDto } from "@sewa/api";
import type { Command } from "commander";
import { listAll, withApi } from "../client.ts";
import { confirming } from "../confirming.ts";
import { UsageError } from "../failure.ts";
import { formatMoney, formatTime, leaf, sheet, show, table, type JsonOption } from "../output.ts";

export function addSubscriptionCommands(program: Command): void {
  const group = program.command("subscriptions").description("what the organization rents");
  leaf(group, "list", "subscriptions, newest first").action(list);
  leaf(group, "get <id>", "one of them").action((subscriptionId: string, options: JsonOption) =>
    answer(options, ({ api }) => api.subscriptions.get.query({ subscriptionId })),
  );
  leaf(group, "renew <id>", "pay for the next period, or bring an expired app back").action(
    (id: string, options: JsonOption) => answer(options, ({ api }) => api.subscriptions.renew.mutate(withKey(id))),
  );
  leaf(group, "cancel <id>", "do not renew: the app runs until its period ends")
    .option("--now", "end it at once and delete its data; asks for --confirm")
    .option("--confirm <name>", "the app's name")
    .action(cancel);
  leaf(group, "change-plan <id> <planId>", "say what another plan would cost, and take it with --agree")
    .option("--period-end", "from the next period on, instead of now")
    .option("--agree", "take it, at the price that is shown")
    .action(changePlan);
  leaf(group, "undo-change-plan <id>", "keep the plan in the next period after all").action(
    (id: string, options: JsonOption) =>
      answer(options, ({ api }) => api.subscriptions.undoPlanChange.mutate(withKey(id))),
  );
  leaf(group, "undo-cancel <id>", "renew it after all").action((id: string, options: JsonOption) =>
    answer(options, ({ api }) => api.subscriptions.undoCancel.mutate(withKey(id))),
  );
}

type Call = Parameters<typeof withApi<SubscriptionDto>>[0];

async function answer(options: JsonOption, call: Call): Promise<void> {
  const subscription = await withApi(call);
  show(options, subscription, () => describe(subscription));
}

async function list(options: JsonOption): Promise<void> {
  const subscriptions = await withApi(({ api }) => listAll((page) => api.subscriptions.list.query(page)));
  const rows = subscriptions.map((subscription) => ({
    id: subscription.id,
    status: statusOf(subscription),
    app: subscription.instanceName,
    plan: `${subscription.offering.slug}/${subscription.planName}`,
    price: formatMoney(subscription.price),
    "period ends": formatTime(subscription.currentPeriodEnd),
  }));
  show(options, subscriptions, () => table(rows, "No subscriptions."));
}

interface CancelOptions extends JsonOption {
  readonly now?: boolean;
  readonly confirm?: string;
}

async function cancel(id: string, { now = false, confirm, ...options }: CancelOptions): Promise<void> {
  if (!now) return answer(options, ({ api }) => api.subscriptions.cancelAtPeriodEnd.mutate(withKey(id)));
  if (confirm === undefined) {
    throw new UsageError("--now deletes the app's data. Say which app it is with --confirm and its name.");
  }
  return answer(options, (session) =>
    confirming(session, ({ api }) => api.subscriptions.cancelNow.mutate({ ...withKey(id), confirmName: confirm })),
  );
}

interface ChangePlanOptions extends JsonOption {
  readonly periodEnd?: boolean;
  readonly agree?: boolean;
}

async function changePlan(
  subscriptionId: string,
  planId: string,
  { periodEnd = false, agree = false, ...options }: ChangePlanOptions,
): Promise<void> {
  const choice = { subscriptionId, planId, moment: periodEnd ? "period_end" : "now" } as const;
  await withApi(async ({ api }) => {
    const preview = await api.subscriptions.previewChange.query(choice);
    const { at, priceKey } = preview;
    if (agree) await api.subscriptions.changePlan.mutate({ ...choice, ...withKey(subscriptionId), at, priceKey });
    show(options, preview, () =>
      sheet({
        price: `${formatMoney(preview.priceBefore)} becomes ${formatMoney(preview.priceAfter)} per period`,
        "due now": formatMoney(preview.due),
        from: formatTime(preview.startsAt),
        taken: agree ? "yes" : "no; add --agree",
      }),
    );
  });
}

/** Each call of the command is one intention. */
function withKey(subscriptionId: string): { readonly subscriptionId: string; readonly idempotencyKey: string } {
  return { subscriptionId, idempotencyKey: randomUUID() };
}

function statusOf({ status, cancelAtPeriodEnd }: SubscriptionDto): string {
  return cancelAtPeriodEnd && status !== "cancelled" ? `${status}, not renewed` : status;
}

function describe(subscription: SubscriptionDto): string {
  const { nextInvoice } = subscription;
  return sheet({
    subscription: subscription.id,
    status: statusOf(subscription),
    app: `${subscription.instanceName} (${subscription.instanceId})`,
    plan: `${subscription.offering.slug}/${subscription.planName}`,
    price: formatMoney(subscription.price),
    "period ends": formatTime(subscription.currentPeriodEnd),
    ...(subscription.graceEndsAt === null ? {} : { "data kept until": formatTime(subscription.graceEndsAt) }),
    ...(nextInvoice === null ? {} : { "next invoice": `${nextInvoice.status}, ${formatMoney(nextInvoice.total)}` }),
  });
}
