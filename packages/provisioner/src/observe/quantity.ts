const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
  Ei: 1024 ** 6,
};

/** Whole bytes of a memory quantity, rounded down. Throws on text that is no quantity. */
export function parseBytes(quantity: string): number {
  return Math.floor(parseQuantity(quantity));
}

/** Thousandths of a core, rounded down. Throws on text that is no quantity. */
export function parseMillis(quantity: string): number {
  // The small addend undoes binary fractions: 0.29 cores are 290 thousandths, not 289.999….
  return Math.floor(parseQuantity(quantity) * 1000 + 1e-6);
}

/** The same with its fractions, for what was measured: sums of many small amounts round once. */
export function parseExactMillis(quantity: string): number {
  return parseQuantity(quantity) * 1000;
}

function parseQuantity(quantity: string): number {
  const match = /^([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/u.exec(quantity);
  const factor = factors[match?.[2] ?? ""];
  if (match === null || factor === undefined) throw new Error(`Not a quantity: ${quantity.slice(0, 50)}`);
  return Number(match[1]) * factor;
}
