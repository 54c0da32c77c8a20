import { readFileSync } from "node:fs";
import type { PlanLimits } from "../resolved-app.ts";

/** The definition of another platform, exactly as it was published; it must go on parsing unchanged. */
export const squidexText: string = readFileSync(new URL("squidex-vm.yaml", import.meta.url), "utf8");
export const uptimeKumaText: string = readFileSync(new URL("../../catalog/uptime-kuma.yaml", import.meta.url), "utf8");
export const catalogText: string = readFileSync(new URL("../../catalog/catalog.yaml", import.meta.url), "utf8");

export const planLimits: PlanLimits = {
  cpuRequestMillis: 250,
  cpuLimitMillis: 1_000,
  memoryRequestBytes: 512 * 2 ** 20,
  memoryLimitBytes: 2 ** 30,
  storageBytes: 4 * 2 ** 30,
};

export const instance = {
  id: "ins_1",
  name: "shop",
  host: "shop-a1b2c3.apps.test",
  url: "https://shop-a1b2c3.apps.test",
};

/** The smallest app that can be published. `insert` goes into the workload, `append` to the end. */
export function smallDefinition(insert = "", append = ""): string {
  return `license: { name: MIT, commercialHosting: allowed }
exposed: { workload: app, port: http }
resources:
- id: app
  type: kubernetes-workload
  image: registry.example/app:1.2.3
  ports: [{ name: http, port: 8080 }]
  security: { runAsUser: 1000 }
${insert === "" ? "" : `  ${insert.trim().replaceAll("\n", "\n  ")}\n`}${append}`;
}
