import type { HoldKind } from "./hold-instance.ts";
import type { ReasonCode } from "./observation.ts";

/** What a customer reads when there is no better sentence. A new code does not compile until it has one. */
export const reasonSentences = {
  IMAGE_PULL_FAILED: "The app's image could not be downloaded.",
  CRASH_LOOP: "The app stops again and again right after it was started.",
  OUT_OF_MEMORY: "The app needed more memory than its plan has.",
  CONFIG_ERROR: "The app's configuration is not complete.",
  UNSCHEDULABLE: "No machine has room for the app at the moment.",
  VOLUME_UNBOUND: "The app's storage is not there yet.",
  VOLUME_GROWING: "The app's storage is being made larger.",
  VOLUME_NOT_GROWN: "The app's storage could not be made larger. The app goes on with what it has.",
  QUOTA_EXCEEDED: "The app asks for more than its plan allows.",
  POD_SECURITY: "The app asks for rights that no app gets here.",
  STARTING: "The app is starting.",
  NOT_READY: "The app is running and does not answer yet.",
  CLAIM_RUNNING: "The owner's account is being set up.",
  CLAIM_FAILED: "The owner's account could not be set up.",
  HEALTH_CHECK_FAILED: "The app does not answer at its address.",
  STOPPING: "The app is stopping.",
  DELETING: "The app is being removed.",
  DELETION_STUCK: "The removal takes longer than usual.",
  NAME_TAKEN: "Something else has the app's place in the cluster.",
  INVALID_OBJECT: "The cluster does not accept the app's description.",
  CLUSTER_UNREACHABLE: "The cluster does not answer at the moment.",
  CLUSTER_DENIED: "The cluster does not allow what has to be done.",
  NODE_LOST: "The machine that the app runs on does not answer.",
  DEADLINE_EXCEEDED: "It took too long.",
} as const satisfies Record<ReasonCode, string>;

/** Why an app is stopped that is wanted to be: what a customer sees in the place of what was observed, while a hold stands. */
export const holdReasons = {
  operator: { code: "HELD_BY_OPERATOR", sentence: "The operator has stopped this app." },
  abuse: { code: "HELD_FOR_ABUSE", sentence: "The operator has stopped this app because of abuse." },
  books: { code: "HELD_FOR_BOOKS", sentence: "The app is stopped while the operator looks at its payments." },
} as const satisfies Record<HoldKind, { readonly code: string; readonly sentence: string }>;

export type HoldReason = (typeof holdReasons)[HoldKind]["code"];
