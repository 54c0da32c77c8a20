export { enqueue, enqueueMissing } from "./enqueue.ts";
export { countJobs, type JobCounts } from "./count-jobs.ts";
export { fromStoredPayload, isJobName, jobKey, type JobName, type JobPayload, jobs, toStoredPayload } from "./job.ts";
export { cancelJob, getJob, type JobRow, listJobs, type ListJobsInput, retryJob, runJob } from "./queries.ts";
export {
  beatPool,
  countLivingPools,
  endPool,
  listLivingPools,
  listPools,
  poolSilenceSeconds,
  reapDeadPools,
} from "./worker-pools.ts";
