import type { MoneyDto } from "@sewa/api";

/** Minor units are whole numbers; how many make a unit depends on the currency. */
export function formatMoney({ amountMinor, currency }: MoneyDto): string {
  if (amountMinor === 0n) return "free";
  // One Rupiah is a minor unit here, whatever the tables of the browser say about sen.
  const digits = currency === "IDR" ? 0 : (minorDigits(currency) ?? 2);
  const format = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return format.format(Number(amountMinor) / 10 ** digits);
}

function minorDigits(currency: string): number | undefined {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
}
