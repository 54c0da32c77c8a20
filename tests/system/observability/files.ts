import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Panel {
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

export async function readAlerts(): Promise<readonly AlertRule[]> {
  const text = await readFile(`${root}deploy/observability/alerts.yaml`, "utf8");
  const { groups } = parse(text) as { groups: readonly { readonly rules: readonly AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export async function readDashboards(): Promise<readonly Dashboard[]> {
  const folder = `${root}deploy/observability/dashboards`;
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  return Promise.all(
    files.map(async (file) => {
      const board = JSON.parse(await readFile(`${folder}/${file}`, "utf8")) as Omit<Dashboard, "file">;
      return { ...board, file };
    }),
  );
}

/** The runbooks. */
export async function readPages(): Promise<readonly { readonly page: string; readonly text: string }[]> {
  const folder = `${root}docs/runbooks`;
  const names = (await readdir(folder)).toSorted();
  return Promise.all(names.map(async (page) => ({ page, text: await readFile(`${folder}/${page}`, "utf8") })));
}

const words = new Set(
  "by without on ignoring group_left group_right offset bool and or unless sum min max avg count topk bottomk le inf nan".split(
    " ",
  ),
);

/** The names of the metrics in a PromQL expression: what is neither a function, a keyword, a label nor a value. */
export function metricsIn(expression: string): readonly string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, " ")
    .replaceAll(/\[[^\]]*\]/g, " ")
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  const names = [...bare.matchAll(/(?<![\w.])[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !words.has(name.toLowerCase())))];
}

/** The names that a scraped text promises, with those that belong to its histograms. */
export function metricsOf(text: string): ReadonlySet<string> {
  return new Set(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  );
}
