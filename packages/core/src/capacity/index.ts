export {
  type CapacityRefusal,
  capacityRefusals,
  type CapacityVerdict,
  decideCapacity,
  type Demand,
  deriveHeldRatio,
  deriveRoom,
  type PoolState,
} from "./capacity.ts";
export { changeHold, checkHoldChange, findHold, type HoldChange } from "./change-hold.ts";
export { dropHold, restoreHold } from "./correct-holds.ts";
export { checkCapacity, holdCapacity, releaseCapacity } from "./hold-capacity.ts";
export {
  getNode,
  listNodePools,
  listNodes,
  listNodeWishes,
  listPresentNodes,
  type NodePool,
  type NodeRow,
  setNodeSchedulable,
} from "./nodes.ts";
export { recordNodes } from "./record-nodes.ts";
export type { ObservedNode } from "./observed-node.ts";
