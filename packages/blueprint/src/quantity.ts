const cpuPattern = /^(?:(\d{1,7})m|(\d{1,4})(?:\.(\d{1,3}))?)$/;
const bytesPattern = /^(\d{1,18})(?:\.(\d{1,3}))?(Ki|Mi|Gi|Ti|k|M|G|T)?$/;
const byteUnits = {
  "": 1n,
  k: 10n ** 3n,
  M: 10n ** 6n,
  G: 10n ** 9n,
  T: 10n ** 12n,
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
} as const;

const maximumCpuMillis = 1_024_000;
/** Of one quantity, and of all storage of an app. */
export const maximumBytes: number = 2 ** 50;

/**
 * Thousandths of a CPU from `250m`, `1` or `0.5`; null for anything else. Kubernetes also reads exponents and parts
 * of a milli; nobody means them in a plan, so they are refused as slips.
 */
export function parseCpu(quantity: string): number | null {
  const match = cpuPattern.exec(quantity);
  if (match === null) return null;
  const [, millis, whole, fraction = ""] = match;
  const value = millis === undefined ? Number(whole) * 1000 + Number(fraction.padEnd(3, "0")) : Number(millis);
  return value > 0 && value <= maximumCpuMillis ? value : null;
}

/** Bytes from `512Mi`, `1Gi`, `1.5Gi`, `500M` or a plain number; null for anything else, or where a part of a byte remains. */
export function parseBytes(quantity: string): number | null {
  const match = bytesPattern.exec(quantity);
  if (match === null) return null;
  const [, whole = "0", fraction = "", unit = ""] = match;
  const scaled = BigInt(whole + fraction) * byteUnits[unit as keyof typeof byteUnits];
  const divisor = 10n ** BigInt(fraction.length);
  const bytes = scaled / divisor;
  if (scaled % divisor !== 0n || bytes <= 0n || bytes > BigInt(maximumBytes)) return null;
  return Number(bytes);
}
