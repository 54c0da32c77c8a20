/** What can be measured of an app and charged for. Quantities are whole numbers of the base unit, so that none is rounded. */
export interface Meter {
  /** For people: what is measured, and what it is counted in. */
  readonly label: string;
  readonly unit: string;
  /** Base units in one of that unit. */
  readonly unitQuantity: bigint;
  /** Of an hour that was measured: the column that holds its quantity. */
  readonly column: "cpu_milli_seconds" | "memory_byte_seconds" | "storage_byte_seconds" | "covered_seconds";
}

const hourSeconds = 3_600n;
const gibibyte = 1024n ** 3n;

/** Those that every app has. Base units: milliseconds of a core, byte-seconds, byte-seconds, seconds. */
export const houseMeters = {
  cpu: { label: "Processor", unit: "core-hours", unitQuantity: hourSeconds * 1_000n, column: "cpu_milli_seconds" },
  memory: { label: "Memory", unit: "GiB-hours", unitQuantity: hourSeconds * gibibyte, column: "memory_byte_seconds" },
  storage: {
    label: "Storage",
    unit: "GiB-hours",
    unitQuantity: hourSeconds * gibibyte,
    column: "storage_byte_seconds",
  },
  running: { label: "Running time", unit: "hours", unitQuantity: hourSeconds, column: "covered_seconds" },
} as const satisfies Record<string, Meter>;

/** A blueprint's own quantity is taken to a millionth, and counts for the seconds in which the app runs. */
export const customScale = 1_000_000;
const customUnitQuantity = hourSeconds * BigInt(customScale);

export function isHouseMeter(meter: string): meter is keyof typeof houseMeters {
  return Object.hasOwn(houseMeters, meter);
}

export function unitQuantityOf(meter: string): bigint {
  return isHouseMeter(meter) ? houseMeters[meter].unitQuantity : customUnitQuantity;
}

const shownDigits = 3;

/** In the meter's unit, for people: `12.5`. To a thousandth, half up. */
export function formatQuantity(quantity: bigint, meter: string): string {
  const scale = 10n ** BigInt(shownDigits);
  const unitQuantity = unitQuantityOf(meter);
  const thousandths = (2n * quantity * scale + unitQuantity) / (2n * unitQuantity);
  const fraction = (thousandths % scale).toString().padStart(shownDigits, "0").replace(/0+$/, "");
  return fraction === "" ? `${thousandths / scale}` : `${thousandths / scale}.${fraction}`;
}
