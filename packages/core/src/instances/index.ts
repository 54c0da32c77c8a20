export { countInstances, type InstanceCount } from "./count-instances.ts";
export { createInstance, type NewInstance } from "./create-instance.ts";
export { derivePhase, type DesiredPhase, type PhaseFacts, type SubscriptionStatus } from "./derive-phase.ts";
export { failOverdueOperations } from "./fail-operations.ts";
export { type ForceRestart, forceRestart } from "./force-restart.ts";
export {
  type HoldInstance,
  type HoldKind,
  holdInstance,
  isHeldByOperator,
  type LiftHold,
  liftHold,
  placeHold,
} from "./hold-instance.ts";
export { conditionsOf, deriveAddress, type InstanceRow, isSettled, podsOf } from "./instance.ts";
export {
  createInstanceStore,
  type InstanceSpec,
  type InstanceStore,
  type LoadedInstance,
  readInstanceSpec,
  toInstanceSpec,
  toPlannedSpec,
} from "./instance-store.ts";
export type { InstanceLease } from "./lease.ts";
export { listHealthUrls } from "./list-health-urls.ts";
export {
  createLogTicket,
  type LogSource,
  type LogTicket,
  type LogTicketInput,
  maxTailLines,
  verifyLogTicket,
} from "./log-ticket.ts";
export { type LockedInstance, lockInstance, lockInstanceOfSubscription, wantedPhase } from "./lock-instance.ts";
export {
  type Condition,
  type Observation,
  type ObservedPhase,
  observedPhases,
  type ObservedPod,
  type ReasonCode,
  reasonCodes,
} from "./observation.ts";
export { markNeverProvisioned } from "./mark-never-provisioned.ts";
export { type OperateInput, restartInstance, startInstance, stopInstance } from "./operate-instance.ts";
export { getInstance, getInstanceOfSubscription, getInstanceRow, type InstanceView, listInstances } from "./queries.ts";
export { readHouseId } from "./read-house.ts";
export type { Recorded } from "./record-observed.ts";
export { type HoldReason, holdReasons, reasonSentences } from "./reasons.ts";
export { type InstanceShape, reshapeInstance, shapeOf } from "./reshape-instance.ts";
export { resolveInstance } from "./resolve-instance.ts";
export { type Credentials, revealCredentials } from "./reveal-credentials.ts";
export { setDesired } from "./set-desired.ts";
export { sweepInstances } from "./sweep-instances.ts";
