export { countInstancesDown } from "./count-instances-down.ts";
export { deleteOldUptime } from "./delete-old-uptime.ts";
export { getInstanceUptime, type InstanceUptime, maxUptimeDays, type UptimeDay } from "./get-instance-uptime.ts";
export { listProbeTargets, type ProbeTarget } from "./list-probe-targets.ts";
export { type ProbeAnswer, recordProbes } from "./record-probes.ts";
export { reportOutages } from "./report-outages.ts";
