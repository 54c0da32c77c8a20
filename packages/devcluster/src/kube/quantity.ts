/**
 * Resource quantities ("100m", "1.5Gi", "2e3"). The amount is kept as an exact count of billionths (nano), because sums
 * of quota must not round. The form (decimal, binary, exponent) is kept too: a server rewrites a quantity within its
 * form only, 65536Ki becomes 64Mi while 67108864 stays.
 */
export interface Quantity {
  readonly nano: bigint;
  readonly form: "decimal" | "binary" | "exponent";
}

const billion = 1_000_000_000n;
const syntax = /^([+-]?)(\d*)(?:\.(\d*))?(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?\d+))?$/;
const decimalNano: Record<string, bigint> = { n: 1n, u: 1_000n, m: 1_000_000n };
const largeSuffixes = ["k", "M", "G", "T", "P", "E"];
const binarySuffixes = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

export const quantityPattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";

/** Null when the text is no quantity. Digits beyond a billionth are rounded up, as a server does. */
export function parseQuantity(value: unknown): Quantity | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  const match = syntax.exec(String(value).trim());
  if (match === null) return null;
  const [, sign = "", whole = "", fraction = "", suffix = "", exponent] = match;
  if (whole === "" && fraction === "") return null;
  const digits = BigInt(`${whole}${fraction}` || "0");
  let scale = billion;
  let form: Quantity["form"] = "decimal";
  if (suffix in decimalNano) scale = decimalNano[suffix] ?? billion;
  else if (largeSuffixes.includes(suffix)) scale = billion * 1000n ** BigInt(largeSuffixes.indexOf(suffix) + 1);
  else if (binarySuffixes.includes(suffix)) {
    scale = billion * 1024n ** BigInt(binarySuffixes.indexOf(suffix) + 1);
    form = "binary";
  } else if (exponent !== undefined) {
    const power = Math.min(Math.max(Number(exponent), -9), 18);
    scale = power >= 0 ? billion * 10n ** BigInt(power) : billion / 10n ** BigInt(-power);
    form = "exponent";
  }
  const divisor = 10n ** BigInt(fraction.length);
  const product = digits * scale;
  const nano = product / divisor + (product % divisor === 0n ? 0n : 1n);
  return { nano: sign === "-" ? -nano : nano, form };
}

export function formatQuantity({ nano, form }: Quantity): string {
  if (nano === 0n) return "0";
  const sign = nano < 0n ? "-" : "";
  const amount = nano < 0n ? -nano : nano;
  if (form === "binary" && amount % billion === 0n && amount / billion >= 1024n) {
    return sign + reduce(amount / billion, 1024n, binarySuffixes);
  }
  if (amount % billion === 0n) {
    const whole = amount / billion;
    if (form !== "exponent") return sign + reduce(whole, 1000n, form === "binary" ? [] : largeSuffixes);
    const zeros = Math.floor((/0*$/.exec(whole.toString())?.[0].length ?? 0) / 3) * 3;
    return sign + (zeros === 0 ? whole.toString() : `${whole / 10n ** BigInt(zeros)}e${zeros}`);
  }
  for (const suffix of ["m", "u", "n"]) {
    const unit = decimalNano[suffix] ?? 1n;
    if (amount % unit === 0n) return `${sign}${amount / unit}${suffix}`;
  }
  return `${sign}${amount}n`;
}

function reduce(amount: bigint, base: bigint, suffixes: readonly string[]): string {
  let value = amount;
  let suffix = "";
  for (const next of suffixes) {
    if (value % base !== 0n) break;
    value /= base;
    suffix = next;
  }
  return `${value}${suffix}`;
}

/** A sum keeps the form of its first addend that is not zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, form: a.nano === 0n ? b.form : a.form };
}

export const zeroQuantity: Quantity = { nano: 0n, form: "decimal" };

/** The amount of a quantity that was checked when its object was stored. */
export function quantityOf(value: unknown): Quantity {
  return parseQuantity(value) ?? zeroQuantity;
}
