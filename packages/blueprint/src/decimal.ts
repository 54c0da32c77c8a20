/** Up to 15 digits before and 4 after the point: `80`, `0.5`, `50000`. No sign, no exponent. */
export const decimalPattern: RegExp = /^(?:0|[1-9]\d{0,14})(?:\.\d{1,4})?$/;

const scaleDigits = 4;
const scale = 10n ** BigInt(scaleDigits);

/** The shortest form of a decimal text: `80.50` becomes `80.5`, `80.0` becomes `80`. */
export function normalizeDecimal(text: string): string {
  return fromScaled(toScaled(text));
}

/** Exact sum of decimal texts. */
export function sumDecimals(amounts: readonly string[]): string {
  return fromScaled(amounts.reduce((sum, amount) => sum + toScaled(amount), 0n));
}

function toScaled(text: string): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(scaleDigits, "0"));
}

function fromScaled(value: bigint): string {
  const fraction = (value % scale).toString().padStart(scaleDigits, "0").replace(/0+$/, "");
  return fraction === "" ? `${value / scale}` : `${value / scale}.${fraction}`;
}
