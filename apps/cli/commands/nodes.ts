import { type CoreContext, listNodePools, listNodes, type NodeRow, setNodeSchedulable } from "@sewa/core";
import type { Command } from "commander";
import { withCore } from "../operator.ts";
import { formatTime, leaf, show, table, type JsonOption } from "../output.ts";

const gib = 2 ** 30;

/** The machines of the cluster, as the workers saw them last. */
export function addNodeCommands(program: Command): void {
  const group = program.command("nodes").description("the machines of the cluster");
  group
    .command("list", { isDefault: true })
    .description("machines and what room their pools have")
    .option("--json", "answer in JSON")
    .action(list);
  for (const [name, schedulable, description] of [
    ["cordon", false, "place no new apps on a machine"],
    ["uncordon", true, "place apps on it again"],
  ] as const) {
    leaf(group, `${name} <node>`, description)
      .option("--reason <text>", "for the audit")
      .action(async (node: string, options: JsonOption & { readonly reason?: string }) => {
        const reason = options.reason ?? null;
        const row = await withCore((ctx) => setNodeSchedulable(ctx, { name: node, schedulable, reason }));
        show(
          options,
          row,
          () =>
            `${node}: ${schedulable ? "apps may be placed on it again" : "no new apps"}. A worker tells the cluster.`,
        );
      });
  }
}

async function list(options: JsonOption): Promise<void> {
  const { nodes, pools } = await withCore(async (ctx) => ({
    nodes: await listAllNodes(ctx),
    pools: await listNodePools(ctx),
  }));
  show(options, { nodes, pools }, () =>
    [
      table(nodes.map(toRow), "No machine is known yet. A worker with a cluster lists them within a minute."),
      ...(pools.length === 0 ? [] : ["", "Room that may still be promised:"]),
      ...pools.map(
        ({ name, room }) => `${name}: ${inCores(room.cpuMillis)} CPU, ${inGib(room.memoryBytes)} GiB memory`,
      ),
    ].join("\n"),
  );
}

async function listAllNodes(ctx: CoreContext): Promise<readonly NodeRow[]> {
  const nodes: NodeRow[] = [];
  let cursor: string | null = null;
  do {
    const page = await listNodes(ctx, cursor === null ? {} : { cursor });
    nodes.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return nodes;
}

function toRow(node: NodeRow): Readonly<Record<string, unknown>> {
  return {
    name: node.name,
    role: node.role,
    pool: node.pool,
    status: statusOf(node),
    cpu: inCores(node.allocatableCpuMillis),
    "memory GiB": inGib(node.allocatableMemoryBytes),
    "last seen": formatTime(node.lastSeenAt),
  };
}

function statusOf(node: NodeRow): string {
  if (node.removedAt !== null) return "gone";
  const isClosed = !node.isSchedulable || node.desiredSchedulable === false;
  return `${node.isReady ? "ready" : "not ready"}${isClosed ? ", cordoned" : ""}`;
}

function inCores(millis: number): string {
  return (millis / 1_000).toFixed(1);
}

function inGib(bytes: number): string {
  return (bytes / gib).toFixed(1);
}
