export {
  advanceSteps,
  closeSteps,
  isOpen,
  isReshaping,
  maxOperationAttempts,
  operationDeadlineSeconds,
  type OperationKind,
  operationKinds,
  type OperationStatus,
  type OperationStep,
  operationTransitions,
  type ReshapingKind,
  reshapingKinds,
  stepPlans,
} from "./operation.ts";
export { findLatestOperation, getOperation, listOperations, listOverdueOperations } from "./queries.ts";
export { type StepKey, stepKeys, type StepStatus } from "./step.ts";
export {
  countAttempt,
  endOperation,
  findOpenOperation,
  openOperation,
  type OperationRow,
  progressOperation,
  startOperation,
  stepsOf,
} from "./write-operation.ts";
