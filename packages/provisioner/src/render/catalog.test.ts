import { readdirSync, readFileSync } from "node:fs";
import { parseBlueprint, resolveBlueprint, validateParameters } from "@sewa/blueprint";
import { describe, expect, test } from "vitest";
import { testSettings, testSpec } from "../testing/specs.ts";
import { validateManifest } from "../testing/validate-manifest.ts";
import { renderManifests } from "./index.ts";
import type { InstanceSpec } from "./types.ts";

const folder = new URL("../../../blueprint/catalog/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");

function specFor(file: string): InstanceSpec {
  const blueprint = parseBlueprint(readFileSync(new URL(file, folder), "utf8"));
  const checked = validateParameters(blueprint, {});
  if (!checked.ok) throw new Error(`${file} cannot be ordered without parameters.`);
  const { instanceId: id, host, limits } = testSpec();
  const instance = { id, name: "shop", host, url: `https://${host}` };
  const app = resolveBlueprint(blueprint, { values: checked.values, limits, instance });
  return testSpec({ app, secrets: Object.fromEntries(app.secrets.map(({ name }) => [name, "a-generated-value"])) });
}

test("there is something to sell", () => {
  expect(files).toContain("uptime-kuma.yaml");
});

describe.each(files)("the app of %s", (file) => {
  test("renders objects that a real server's schema accepts, before and after its claim", () => {
    const spec = specFor(file);
    for (const ownerClaimed of [false, true]) {
      const manifests = renderManifests({ ...spec, ownerClaimed }, testSettings);
      expect(manifests.flatMap(validateManifest)).toEqual([]);
      expect(manifests.map(({ kind }) => kind)).toContain(ownerClaimed ? "Ingress" : "Job");
    }
  });

  test("runs no process as root", () => {
    const text = JSON.stringify(renderManifests(specFor(file), testSettings));
    expect(text).not.toMatch(/"runAsUser":0\b/u);
  });
});
