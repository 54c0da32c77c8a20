import type { InstanceUptime } from "@sewa/core";
import type { InstanceUptimeDto } from "./dto.ts";

export function toInstanceUptimeDto(uptime: InstanceUptime): InstanceUptimeDto {
  const { timeZone, days, ratio, targetRatio, isWithinTarget } = uptime;
  return { timeZone, days, ratio, targetRatio, isWithinTarget };
}
