export type { AnsweredRequests, FaultyAnswer, RefusalStatus, RequestPattern, RequestVerb } from "./answers.ts";
export { startDevcluster, type Devcluster, type DevclusterOptions, type PodRef } from "./devcluster.ts";
export type { Faults, ImagePattern } from "./faults.ts";
export type { Apps } from "./ingress/switches.ts";
export type { Amounts } from "./metrics/measure.ts";
export type { Metrics, MetricsState } from "./metrics/switches.ts";
export type { NodeShape } from "./controllers/nodes.ts";
export type { KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./kube/object.ts";
