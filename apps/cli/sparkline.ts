const bars = "▁▂▃▄▅▆▇█";
const gap = "·";

/**
 * One line that shows values from 0 to `ceiling` in at most `columns` characters. Several values in one column show the
 * highest of them; a column without any is a dot.
 */
export function sparkline(values: readonly (number | null)[], ceiling: number, columns: number): string {
  const width = Math.min(columns, values.length);
  return Array.from({ length: width }, (_, column) => {
    const share = values.slice(
      Math.floor((column * values.length) / width),
      Math.floor(((column + 1) * values.length) / width),
    );
    return bar(
      share.filter((value) => value !== null),
      ceiling,
    );
  }).join("");
}

function bar(values: readonly number[], ceiling: number): string {
  if (values.length === 0) return gap;
  const share = ceiling > 0 ? Math.max(...values) / ceiling : 0;
  return bars[Math.min(bars.length - 1, Math.max(0, Math.ceil(share * bars.length) - 1))] ?? gap;
}
