import { findOfferings, hideOffering, publishOffering, type ShelfInput } from "@sewa/core";
import type { Command } from "commander";
import { listAll } from "../client.ts";
import { withCore } from "../operator.ts";
import { formatMoney, formatTime, type JsonOption, leaf, show, table } from "../output.ts";

/** Beside `catalog apply`: what of the catalog can be ordered. */
export function addShelfCommands(group: Command): void {
  leaf(group, "list", "all offerings and plans, hidden ones too, and why one may not be sold").action(list);
  leaf(group, "publish <offering[/plan]>", "put back what was hidden")
    .requiredOption("--reason <text>", "why: for the audit")
    .action((name: string, { reason, ...options }: ReasonOption) =>
      change(name, reason, options, publishOffering, "can be ordered"),
    );
  leaf(
    group,
    "hide <offering[/plan]>",
    "take it off the shelf; who rents it keeps it, and no apply of the catalog puts it back",
  )
    .requiredOption("--reason <text>", "why: for the audit")
    .action((name: string, { reason, ...options }: ReasonOption) =>
      change(name, reason, options, hideOffering, "cannot be ordered any more"),
    );
}

interface ReasonOption extends JsonOption {
  readonly reason: string;
}

async function list(options: JsonOption): Promise<void> {
  const items = await withCore((ctx) => listAll(({ cursor }) => findOfferings(ctx, { cursor })));
  const rows = items.flatMap((offering) =>
    offering.plans.map((plan) => ({
      plan: `${offering.slug}/${plan.slug}`,
      offering: offering.state,
      state: plan.state,
      hidden: formatTime(plan.hiddenAt ?? offering.hiddenAt),
      version: plan.version,
      price: plan.price === null ? "-" : formatMoney(plan.price),
      apps: plan.liveSubscriptions,
      "may not be sold because": plan.obstacles.join("; "),
    })),
  );
  show(options, items, () => table(rows, "The catalog is empty."));
}

async function change(
  name: string,
  reason: string,
  options: JsonOption,
  verb: (ctx: Parameters<typeof hideOffering>[0], input: ShelfInput) => Promise<void>,
  outcome: string,
): Promise<void> {
  const [offeringSlug = "", planSlug = null] = name.split("/");
  await withCore((ctx) => verb(ctx, { offeringSlug, planSlug, reason }));
  show(options, { name, reason }, () => `${name} ${outcome}.`);
}
