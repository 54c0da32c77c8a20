import { setTimeout as pause } from "node:timers/promises";
import {
  type CoreContext,
  type FindingRow,
  getAudit,
  getInventoryReport,
  type InventoryAuditRow,
  type InventoryReport,
  listFindings,
  requestAudit,
  toPublicId,
} from "@sewa/core";
import type { Command } from "commander";
import { exitCodes, Refusal } from "../failure.ts";
import { withCore } from "../operator.ts";
import { formatMoney, formatTime, type JsonOption, leaf, type Row, say, show, table } from "../output.ts";

const lookMs = 500;
/** An audit has ten minutes; longer than that and one before it, and no worker makes audits. */
const longestWaitMs = 20 * 60_000;
const gib = 2 ** 30;

/** Rows against cluster, both ways. Ends with a code of its own while anything differs. */
export function addInventoryCommands(program: Command): void {
  const group = program.command("inventory").description("what the database and the cluster disagree about");
  leaf(group, "audit", "have a worker hold every row against every object, and show what differs")
    .option("--wait", "until it has finished; without it, what the last one found")
    .action(audit);
  leaf(group, "list", "what differs, newest first").option("--resolved", "what no longer does").action(list);
}

async function audit(options: JsonOption & { readonly wait?: boolean }): Promise<void> {
  const { report, findings } = await withCore(async (ctx) => {
    const asked = await requestAudit(ctx);
    say(`The audit ${toPublicId("audit", asked.id)} was asked for.`);
    if (options.wait === true) await finished(ctx, asked.id);
    const wanted = options.wait === true ? asked.id : undefined;
    return { report: await getInventoryReport(ctx, wanted), findings: await listAllFindings(ctx, "open") };
  });
  if (options.wait === true && report.audit?.status === "failed")
    throw new Refusal("The audit failed; the worker's log says why.");
  const auditJson = report.audit === null ? null : { ...report.audit, id: toPublicId("audit", report.audit.id) };
  show(
    options,
    { ...report, audit: auditJson, findings: findings.map(toJsonRow) },
    () => `${describeAudit(report.audit)}\n\n${describe(report, findings)}`,
  );
  if (findings.length > 0) process.exitCode = exitCodes.findings;
}

async function list(options: JsonOption & { readonly resolved?: boolean }): Promise<void> {
  const isResolved = options.resolved === true;
  const { report, findings } = await withCore(async (ctx) => ({
    report: await getInventoryReport(ctx),
    findings: await listAllFindings(ctx, isResolved ? "resolved" : "open"),
  }));
  show(options, findings.map(toJsonRow), () =>
    isResolved ? table(findings.map(toRow), "Nothing yet.") : describe(report, findings),
  );
  if (!isResolved && findings.length > 0) process.exitCode = exitCodes.findings;
}

async function finished(ctx: CoreContext, auditId: string): Promise<void> {
  const end = performance.now() + longestWaitMs;
  for (;;) {
    const { status } = await getAudit(ctx, auditId);
    if (status === "finished" || status === "failed") return;
    if (performance.now() > end) throw new Refusal("Nobody has made the audit. Does a worker with a cluster run?");
    await pause(lookMs);
  }
}

/** More than this is not read by a person. */
const maxPages = 20;

async function listAllFindings(ctx: CoreContext, status: "open" | "resolved"): Promise<readonly FindingRow[]> {
  const findings: FindingRow[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const answer: Awaited<ReturnType<typeof listFindings>> = await listFindings(ctx, {
      status,
      limit: 100,
      ...(cursor === null ? {} : { cursor }),
    });
    findings.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === null) break;
  }
  return findings;
}

function describeAudit(audit: InventoryAuditRow | null): string {
  if (audit === null) return "No audit has finished yet.";
  const { finishedAt, objects, instances, unjudged, repaired, deleted, isWhole, unread } = audit;
  const lines = [
    `Audit of ${formatTime(finishedAt)}: ${objects} objects, ${instances} apps, ${repaired} findings repaired, ${deleted} orphans deleted.`,
    ...(unjudged === 0 ? [] : [`${unjudged} apps were in flux; nothing is said of them.`]),
    ...(isWhole === false
      ? [`Not whole: ${unread.join(", ")} could not be read. Nothing was resolved or deleted.`]
      : []),
  ];
  return lines.join("\n");
}

function describe(
  { openFindings, withoutPrice, costPerDay }: InventoryReport,
  findings: readonly FindingRow[],
): string {
  if (findings.length === 0) return "Rows and cluster agree.";
  const total = costPerDay.length === 0 ? "0" : costPerDay.map(formatMoney).join(" + ");
  const rest = withoutPrice === 0 ? "" : `, and ${withoutPrice} without a price`;
  return `${table(findings.map(toRow), "")}\n\n${openFindings} findings: ${total} a day${rest}.`;
}

function toRow(row: FindingRow): Row {
  const { kind, severity, subjectKind, subjectNamespace, subjectName, instanceId, action } = row;
  const place = subjectNamespace === null ? subjectName : `${subjectNamespace}/${subjectName}`;
  return {
    id: toPublicId("finding", row.id),
    kind,
    severity,
    object: `${subjectKind} ${place}`,
    app: instanceId === null ? "" : toPublicId("instance", instanceId),
    "cost/day": costOf(row),
    "first seen": formatTime(row.firstSeenAt),
    done: action === "none" ? "" : action,
  };
}

/** Ids as customers, logs and the api show them. */
function toJsonRow(row: FindingRow): Row {
  const { organizationId, subscriptionId, instanceId } = row;
  return {
    ...row,
    id: toPublicId("finding", row.id),
    organizationId: organizationId === null ? null : toPublicId("organization", organizationId),
    subscriptionId: subscriptionId === null ? null : toPublicId("subscription", subscriptionId),
    instanceId: instanceId === null ? null : toPublicId("instance", instanceId),
  };
}

/** Where nobody knows a price, what it takes of the machines. */
function costOf(row: FindingRow): string {
  const { costMinor, currency, requestedCpuMillis, requestedMemoryBytes, requestedStorageBytes } = row;
  if (costMinor !== null && currency !== null) return formatMoney({ amountMinor: costMinor, currency });
  if (requestedCpuMillis === null) return "";
  const memory = ((requestedMemoryBytes ?? 0) / gib).toFixed(2);
  const storage = ((requestedStorageBytes ?? 0) / gib).toFixed(1);
  return `? (${(requestedCpuMillis / 1_000).toFixed(2)} CPU, ${memory} GiB, ${storage} GiB disk)`;
}
