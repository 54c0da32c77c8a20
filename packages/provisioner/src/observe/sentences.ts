import type { ReasonCode } from "@sewa/core";

/** What a customer reads. No names of machines, no text of the cluster: both may say more than a customer should know. */
export const sentences: Readonly<Record<ReasonCode, string>> = {
  IMAGE_PULL_FAILED: "The app's image cannot be downloaded.",
  CRASH_LOOP: "The app ends again and again after it was started.",
  OUT_OF_MEMORY: "The app needed more memory than the plan grants and was stopped.",
  CONFIG_ERROR: "The app cannot be started with its present configuration.",
  UNSCHEDULABLE: "No machine of the cluster has room for the app right now.",
  VOLUME_UNBOUND: "The app's storage is not available yet.",
  VOLUME_GROWING: "The app's storage is being made larger.",
  VOLUME_NOT_GROWN: "The app's storage could not be made larger; the app goes on with what it has.",
  QUOTA_EXCEEDED: "The app asks for more than its plan grants.",
  POD_SECURITY: "The app asks for rights that the cluster does not give.",
  STARTING: "The app is starting.",
  NOT_READY: "The app runs but does not answer its readiness check.",
  CLAIM_RUNNING: "The owner account is being created.",
  CLAIM_FAILED: "The owner account could not be created, so the address stays closed.",
  HEALTH_CHECK_FAILED: "The app's address does not answer yet.",
  STOPPING: "The app is stopping; its data is kept.",
  DELETING: "The app and its data are being removed.",
  DELETION_STUCK: "The removal takes longer than it should; an operator has to look at it.",
  NAME_TAKEN: "The name that the app needs in the cluster is in use by something else.",
  INVALID_OBJECT: "The cluster does not accept the app's definition.",
  CLUSTER_UNREACHABLE: "The cluster cannot be reached right now.",
  CLUSTER_DENIED: "The cluster refuses the platform's access right now.",
  NODE_LOST: "The machine that the app runs on does not answer.",
  DEADLINE_EXCEEDED: "The app was not ready in time.",
};
