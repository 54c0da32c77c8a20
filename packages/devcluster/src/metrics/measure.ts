import { createHash } from "node:crypto";
import type { Container, Node, Pod } from "../kube/kinds.ts";
import type { JsonRecord } from "../kube/json.ts";
import { timestamp } from "../kube/object.ts";
import { parseQuantity } from "../kube/quantity.ts";
import type { SetUsage } from "./switches.ts";

/** A metrics-server asks the kubelets so often; between two of its rounds it answers the same. */
const windowMs = 15_000;
/** What runs on a node beside its pods. */
const system = { cpuMillis: 120, memoryBytes: 600 * 1024 ** 2 };
/** For containers without limits. */
const roomy = { cpuMillis: 500, memoryBytes: 256 * 1024 ** 2 };

export interface Amounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** The end of the last round. */
export function lastRound(now: Date): Date {
  return new Date(Math.floor(now.getTime() / windowMs) * windowMs);
}

export function toPodMetrics(pod: Pod, now: Date, setUsage: SetUsage): JsonRecord {
  const { name, namespace, labels } = pod.metadata;
  const at = lastRound(now);
  return {
    metadata: { name, namespace, creationTimestamp: timestamp(now), ...(labels === undefined ? {} : { labels }) },
    timestamp: timestamp(at),
    window: `${windowMs / 1_000}s`,
    containers: pod.spec.containers.map((container) => ({
      name: container.name,
      usage: toUsage(measure(pod, container, at, setUsage)),
    })),
  };
}

export function toNodeMetrics(node: Node, pods: readonly Pod[], now: Date, setUsage: SetUsage): JsonRecord {
  const { name, labels } = node.metadata;
  const at = lastRound(now);
  const all = pods.flatMap((pod) => pod.spec.containers.map((container) => measure(pod, container, at, setUsage)));
  return {
    metadata: { name, creationTimestamp: timestamp(now), ...(labels === undefined ? {} : { labels }) },
    timestamp: timestamp(at),
    window: `${windowMs / 1_000}s`,
    usage: toUsage({
      cpuMillis: all.reduce((sum, { cpuMillis }) => sum + cpuMillis, system.cpuMillis),
      memoryBytes: all.reduce((sum, { memoryBytes }) => sum + memoryBytes, system.memoryBytes),
    }),
  };
}

/**
 * Made up, but the same whenever one round is asked for: a twentieth to a third of the processor that it may use, a third
 * to three fifths of the memory. Nothing runs here that could be measured.
 */
function measure(pod: Pod, container: Container, at: Date, setUsage: SetUsage): Amounts {
  const { name, namespace = "" } = pod.metadata;
  const limits = container.resources?.limits ?? {};
  const cpuMillis = amountOf(limits["cpu"], 1_000) ?? roomy.cpuMillis;
  const memoryBytes = amountOf(limits["memory"], 1) ?? roomy.memoryBytes;
  const own = `${namespace}/${name}/${container.name}`;
  const drawn = {
    cpuMillis: cpuMillis * (0.05 + 0.28 * chance(`cpu ${own} ${at.getTime()}`)),
    // An app keeps what it has taken: the level is its own, and moves a little.
    memoryBytes: memoryBytes * (0.33 + 0.25 * chance(`memory ${own}`) + 0.02 * chance(`memory ${own} ${at.getTime()}`)),
  };
  return { ...drawn, ...setUsage(name, container.image) };
}

/** From 0 to 1, always the same for a text. */
function chance(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE() / 2 ** 32;
}

function amountOf(quantity: string | undefined, units: number): number | null {
  const parsed = parseQuantity(quantity);
  return parsed === null ? null : (Number(parsed.nano) / 1e9) * units;
}

function toUsage({ cpuMillis, memoryBytes }: Amounts): JsonRecord {
  const nano = Math.round(cpuMillis * 1e6);
  return { cpu: nano === 0 ? "0" : `${nano}n`, memory: `${Math.round(memoryBytes / 1024)}Ki` };
}
