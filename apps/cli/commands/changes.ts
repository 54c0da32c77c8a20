import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { ChangeDto, ChangeRequestDto, ChangeShapeDto } from "@sewa/api";
import type { Command } from "commander";
import { listAll, type Session, withApi } from "../client.ts";
import { confirming } from "../confirming.ts";
import { Refusal, UsageError } from "../failure.ts";
import { formatMoney, formatTime, leaf, sheet, show, table, type JsonOption } from "../output.ts";
import { addonOption, collectPair, toCounts, toTypes } from "./blueprint-input.ts";

/** How long a plan is waited for, and how often it is asked for. A worker needs a moment. */
const waitMs = 60_000;
const askMs = 200;

interface PlanOptions extends JsonOption {
  readonly plan?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly addon: Readonly<Record<string, string>>;
  readonly upgrade?: boolean;
  readonly deprovision?: boolean;
}

interface ApplyOptions extends JsonOption {
  readonly hash: string;
  readonly confirm?: string;
}

export function addChangeCommands(group: Command): void {
  leaf(group, "plan <id>", "what a change would do, cost and delete; changes nothing")
    .option("--plan <slug>", "another plan of the same app")
    .option("--parameters <name=value>", "another value for a parameter; may be given again", collectPair)
    .addOption(addonOption())
    .option("--upgrade", "the version of the app that new orders get")
    .option("--deprovision", "remove the app and its data")
    .action(plan);
  leaf(group, "apply <change>", "carry out a plan, as long as nothing has changed since it was made")
    .requiredOption("--hash <hash>", "of the plan that you have read")
    .option("--confirm <name>", "the app's name, to remove it")
    .action(apply);
  leaf(group, "plans <id>", "plans and changes of an app, newest first").action(list);
  leaf(group, "change <change>", "what has become of a change").action(
    async (changeId: string, options: JsonOption) => {
      const change = await withApi(({ api }) => api.instances.getPlan.query({ changeId }));
      show(options, change, () => describeChange(change));
    },
  );
}

async function plan(instanceId: string, options: PlanOptions): Promise<void> {
  const change = await withApi(async (session) => {
    const request = await toRequest(session, instanceId, options);
    const { id } = await session.api.instances.plan.mutate({
      instanceId,
      change: request,
      idempotencyKey: randomUUID(),
    });
    return untilPlanned(session, id);
  });
  show(options, change, () => describeChange(change));
  if (change.status !== "planned") throw new Refusal(change.message ?? `The change is ${change.status}.`);
}

async function list(instanceId: string, options: JsonOption): Promise<void> {
  const changes = await withApi(({ api }) => listAll((page) => api.instances.listPlans.query({ ...page, instanceId })));
  const rows = changes.map(({ id, kind, status, before, after, due, plannedAt }) => ({
    id,
    kind,
    status,
    plan: after === null ? before.planName : after.planName,
    due: formatMoney(due),
    planned: formatTime(plannedAt),
  }));
  show(options, changes, () => table(rows, "No plans."));
}

async function apply(changeId: string, { hash, confirm, ...options }: ApplyOptions): Promise<void> {
  const confirmName = confirm === undefined ? {} : { confirmName: confirm };
  const change = await withApi((session) =>
    confirming(session, ({ api }) =>
      api.instances.executePlan.mutate({ changeId, hash, ...confirmName, idempotencyKey: randomUUID() }),
    ),
  );
  show(options, change, () => `${describeStatus(change)}\n\nFollow it with: sewa instances watch ${change.instanceId}`);
}

async function toRequest({ api }: Session, instanceId: string, options: PlanOptions): Promise<ChangeRequestDto> {
  const { plan: slug, parameters, upgrade = false, deprovision = false } = options;
  const addons = toCounts(options.addon);
  const hasAddons = Object.keys(addons).length > 0;
  const asked = [slug !== undefined, upgrade || parameters !== undefined, hasAddons, deprovision].filter(Boolean);
  if (asked.length !== 1) {
    throw new UsageError("Say one thing: --plan, --addon, --deprovision, or --parameters, with or without --upgrade.");
  }
  if (hasAddons) return { kind: "update", addons };
  if (deprovision) return { kind: "deprovision" };
  const instance = await api.instances.get.query({ instanceId });
  const { plans } = await api.offerings.get.query({ slug: instance.offering.slug });
  if (slug !== undefined) {
    const found = plans.find((known) => known.slug === slug);
    if (found !== undefined) return { kind: "resize", planId: found.id };
    throw new Refusal(`There is no plan ${slug}; there is ${plans.map((known) => known.slug).join(", ")}.`);
  }
  // Plans of one app share its parameters.
  const values = toTypes(plans[0]?.parameters ?? [], parameters ?? {});
  return upgrade ? { kind: "upgrade", parameters: values } : { kind: "update", parameters: values };
}

async function untilPlanned({ api }: Session, changeId: string): Promise<ChangeDto> {
  const end = performance.now() + waitMs;
  for (;;) {
    const change = await api.instances.getPlan.query({ changeId });
    if (change.status !== "planning") return change;
    if (performance.now() > end) {
      throw new Refusal(`No worker has looked yet. Ask later with: sewa instances change ${changeId}`);
    }
    await pause(askMs);
  }
}

const marks = { created: "+", changed: "~", deleted: "-" } as const;

/** A plan as a diff that a person reads from top to bottom: what, how much, what is lost, and how to go on. */
export function describeChange(change: ChangeDto): string {
  const { effects, before, after, due, hash } = change;
  const lines = [describeStatus(change), "", ...describeShapes(before, after)];
  if (due.amountMinor > 0n) lines.push(`to pay now: ${formatMoney(due)}`);
  if (effects !== null) {
    lines.push("", ...effects.objects.flatMap(describeObject));
    lines.push(
      ...effects.dataLost.map(({ kind, name, sizeBytes }) => `! lost: ${kind} ${name}${formatSize(sizeBytes)}`),
    );
    lines.push(...effects.warnings.map(({ message }) => `! ${message}`));
  }
  if (change.status === "planned" && hash !== null) {
    const confirm = change.kind === "deprovision" ? " --confirm NAME" : "";
    lines.push("", `Until ${formatTime(change.expiresAt)}: sewa instances apply ${change.id} --hash ${hash}${confirm}`);
  }
  return lines.join("\n");
}

function describeStatus({ id, kind, status, message, invoiceId }: ChangeDto): string {
  return sheet({
    change: id,
    kind,
    status: message === null ? status : `${status} (${message})`,
    ...(invoiceId === null ? {} : { invoice: invoiceId }),
  });
}

function describeObject({
  action,
  kind,
  name,
  fields,
}: NonNullable<ChangeDto["effects"]>["objects"][number]): readonly string[] {
  return [`${marks[action]} ${kind}${name === null ? "" : ` ${name}`}`, ...fields.map((field) => `    ${field}`)];
}

/** Only what differs. */
function describeShapes(before: ChangeShapeDto, after: ChangeShapeDto | null): readonly string[] {
  if (after === null) return [`plan: ${before.planName} -> none`];
  const [was, is] = [rowsOf(before), rowsOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((name) => was.get(name) !== is.get(name))
    .map((name) => `${name}: ${was.get(name) ?? "none"} -> ${is.get(name) ?? "none"}`);
}

function rowsOf({ planName, price, limits, addons, parameters }: ChangeShapeDto): ReadonlyMap<string, string> {
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return new Map([
    ["plan", planName],
    ["price", formatMoney(price)],
    ["cpu", `${limits.cpuRequestMillis}m to ${limits.cpuLimitMillis}m`],
    ["memory", `${mib(limits.memoryRequestBytes)} to ${mib(limits.memoryLimitBytes)}`],
    ["storage", mib(limits.storageBytes)],
    ...Object.entries(addons).map(([slug, count]): [string, string] => [`add-on ${slug}`, String(count)]),
    // What its owner typed, without what would move the cursor.
    ...Object.entries(parameters).map(([name, value]): [string, string] => [
      name,
      String(value).replaceAll(/\p{Cc}/gu, "?"),
    ]),
  ]);
}

function formatSize(bytes: number | null): string {
  return bytes === null ? "" : `, ${Math.round(bytes / 2 ** 20)} MiB`;
}
