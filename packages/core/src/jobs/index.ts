export { enqueue, enqueueMissing } from "./enqueue.ts";
export { isJobName, jobKey, type JobName, jobNames, type JobPayload, jobs } from "./job.ts";
export { cancelJob, type JobRow, listJobs, retryJob, runJob } from "./queries.ts";
export { beatPool, endPool, listLivingPools, listPools, poolSilenceSeconds, reapDeadPools } from "./worker-pools.ts";
