import type { Observation, ReasonCode } from "@sewa/core";
import { objectNames } from "../render/names.ts";
import type { InstanceSpec } from "../render/types.ts";
import type { InstanceFacts } from "./facts.ts";
import type { PodFact } from "./pods.ts";
import { sentences } from "./sentences.ts";

/** Result of asking the app's address; `unasked` when nobody was to ask. */
export type Health = "unasked" | "healthy" | "unhealthy";

export interface Look {
  readonly facts: InstanceFacts;
  /** Name of the claim job that counts now; null when none is to run. */
  readonly claimJob: string | null;
  readonly health: Health;
  /** Milliseconds since the epoch, to be compared with the cluster's clock. */
  readonly now: number;
}

/** True once the claim job has ended well, now or in the past. */
export function isClaimed(spec: InstanceSpec, look: Pick<Look, "facts" | "claimJob">): boolean {
  return spec.ownerClaimed || look.facts.jobs.some(({ name, state }) => name === look.claimJob && state === "complete");
}

export function findIngress(facts: InstanceFacts): InstanceFacts["ingresses"][number] | undefined {
  return facts.ingresses.find(({ name }) => name === objectNames.ingress);
}

/** Pods of the app itself that have not ended. */
export function livePods(facts: InstanceFacts): readonly PodFact[] {
  return facts.pods.filter(({ workload, phase }) => workload !== null && phase !== "Succeeded" && phase !== "Failed");
}

export type Verdict = Pick<Observation, "phase" | "reason" | "message" | "steps">;

export function judged(phase: Observation["phase"], reason: ReasonCode | null): Omit<Verdict, "steps"> {
  return { phase, reason, message: reason === null ? null : sentences[reason] };
}

export function podReasonOn(pod: PodFact, lostNodes: ReadonlySet<string>): ReasonCode | null {
  return !pod.ready && pod.nodeName !== null && lostNodes.has(pod.nodeName) ? "NODE_LOST" : pod.reason;
}
