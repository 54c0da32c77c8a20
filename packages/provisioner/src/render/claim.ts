import type { ResolvedJob } from "@sewa/blueprint";
import { contentHash } from "./hash.ts";
import { ownObject, podLabels } from "./names.ts";
import { renderContainer, renderPodBase } from "./pod.ts";
import { jobResources } from "./resources.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "./types.ts";

/** Pods that may fail before the Job has failed. Delays double from 10 s, so this is about five minutes of trying. */
const backoffLimit = 5;

/** True for the Job of this or of any former claim. */
export function isClaimJobName(name: string): boolean {
  return /^claim-[0-9a-f]{16}$/u.test(name);
}

/**
 * Claims the owner account from inside the namespace. The name ends in a hash of the content: a Job cannot be changed,
 * so another claim is another Job. No time to live: the finished Job is the proof that the account was claimed.
 */
export function renderClaimJob(spec: InstanceSpec, claim: ResolvedJob, settings: ClusterSettings): KubeManifest {
  const jobSpec = {
    backoffLimit,
    // Counted from creation, so it covers pulling the image and the app's own start beside the claim itself.
    activeDeadlineSeconds: spec.app.provisionDeadlineSeconds + claim.timeoutSeconds,
    template: {
      metadata: { labels: podLabels(spec) },
      spec: {
        ...renderPodBase(claim.security, settings),
        restartPolicy: "Never",
        containers: [renderContainer("claim", claim, claim.security.readOnlyRootFilesystem, jobResources(settings))],
      },
    },
  };
  return ownObject(spec, "batch/v1", "Job", `claim-${contentHash(jobSpec)}`, { spec: jobSpec });
}
