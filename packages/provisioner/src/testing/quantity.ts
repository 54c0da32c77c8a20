const factors: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** The number that a quantity of ours stands for. */
export function quantityValue(quantity: string): number {
  const match = /^([0-9.]+)(m|Ki|Mi|Gi|Ti)?$/u.exec(quantity);
  if (match === null) throw new Error(`Not a quantity: ${quantity}`);
  return Number(match[1]) * (factors[match[2] ?? ""] ?? Number.NaN);
}
