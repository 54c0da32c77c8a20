import { readFileSync } from "node:fs";
import type { LiveJob, LiveNamespace, LiveNode, LivePod, LiveVolumeClaim, LiveWorkload } from "../observe/wire.ts";

interface RecordedStates {
  readonly pods: Readonly<Record<string, LivePod>>;
  /** Every version of one pod that a watch showed on its way into a state. */
  readonly podSeries: Readonly<Record<string, readonly LivePod[]>>;
  readonly deployments: Readonly<Record<string, LiveWorkload>>;
  readonly statefulSets: Readonly<Record<string, LiveWorkload>>;
  readonly jobs: Readonly<Record<string, LiveJob>>;
  readonly volumeClaims: Readonly<Record<string, LiveVolumeClaim>>;
  readonly namespaces: Readonly<Record<string, LiveNamespace>>;
  readonly nodes: Readonly<Record<string, LiveNode>>;
}

/** What a real server answered; see `recorded/README.md`. */
export const recordedStates = JSON.parse(
  readFileSync(new URL("../../recorded/states.json", import.meta.url), "utf8"),
) as RecordedStates;
