export {
  type ChangeKind,
  changeReasons,
  type ChangeReason,
  type ChangeRequest,
  type ChangeRow,
  type ChangeShape,
  type ChangeStatus,
  changeStatuses,
  changeTransitions,
} from "./change.ts";
export {
  type ChangeMoment,
  changePlan,
  type PlanChangePreview,
  type PlanChoice,
  previewPlanChange,
  undoPlanChange,
} from "./change-plan.ts";
export { deleteOldPlans } from "./delete-old-plans.ts";
export { type ChangeEffects, type ChangeWarning, changeWarnings } from "./effects.ts";
export { executePlan, type ExecutePlanInput } from "./execute-plan.ts";
export { planChange, type PlanChangeInput } from "./plan-change.ts";
export type { PlannedObject, Preview } from "./preview.ts";
export { type ChangeView, getChange, listChanges } from "./queries.ts";
export { expireChanges, hasChangeInWork, reconcileChange } from "./reconcile-change.ts";
export { loadPreview, type PreviewTask, recordPreview } from "./record-preview.ts";
export { sweepChanges } from "./sweep-changes.ts";
