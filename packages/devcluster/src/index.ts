export { startDevcluster, type Devcluster, type DevclusterOptions, type PodRef } from "./devcluster.ts";
export type { Faults, ImagePattern } from "./faults.ts";
export type { NodeShape } from "./controllers/nodes.ts";
export type { KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./kube/object.ts";
