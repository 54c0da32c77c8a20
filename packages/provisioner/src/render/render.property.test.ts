import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitrarySpec } from "../testing/arbitrary-spec.ts";
import { quantityValue } from "../testing/quantity.ts";
import { testSettings } from "../testing/specs.ts";
import { validateManifest } from "../testing/validate-manifest.ts";
import { renderManifests } from "./index.ts";
import type { KubeManifest } from "./types.ts";

interface PodTemplate {
  readonly spec: {
    readonly containers: readonly { readonly resources: Record<"requests" | "limits", Record<string, string>> }[];
  };
}

function sumOf(manifests: readonly KubeManifest[], side: "requests" | "limits", resource: string): number {
  const templates = manifests
    .filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet" || kind === "Job")
    .map((manifest) => (manifest["spec"] as { template: PodTemplate }).template);
  const quantities = templates.flatMap(({ spec }) => spec.containers.map(({ resources }) => resources[side][resource]));
  return quantities.reduce((sum, quantity) => sum + quantityValue(quantity ?? ""), 0);
}

function hardOf(manifests: readonly KubeManifest[], key: string): number {
  const quota = manifests.find(({ kind }) => kind === "ResourceQuota")!;
  return quantityValue((quota["spec"] as { hard: Record<string, string> }).hard[key] ?? "");
}

describe("any valid spec", () => {
  test("renders objects that a real server's schema accepts", () => {
    fc.assert(
      fc.property(arbitrarySpec, (spec) => {
        expect(renderManifests(spec, testSettings).flatMap(validateManifest)).toEqual([]);
      }),
    );
  });

  test("renders names that are unique per kind and no longer than a label may be", () => {
    fc.assert(
      fc.property(arbitrarySpec, (spec) => {
        const manifests = renderManifests(spec, testSettings);
        const keys = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
        expect(new Set(keys).size).toBe(keys.length);
        for (const { metadata } of manifests) {
          expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/u);
          expect(metadata.name.length).toBeLessThanOrEqual(63);
          for (const value of Object.values(metadata.labels))
            expect(value).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u);
        }
      }),
    );
  });

  test("asks for no more than its quota grants", () => {
    fc.assert(
      fc.property(arbitrarySpec, (spec) => {
        const manifests = renderManifests(spec, testSettings);
        for (const side of ["requests", "limits"] as const) {
          for (const resource of ["cpu", "memory"]) {
            const slack = 1e-6;
            expect(sumOf(manifests, side, resource)).toBeLessThanOrEqual(
              hardOf(manifests, `${side}.${resource}`) + slack,
            );
          }
        }
        const claims = manifests.filter(({ kind }) => kind === "PersistentVolumeClaim");
        const storage = claims.map(
          (claim) => (claim["spec"] as { resources: { requests: { storage: string } } }).resources.requests.storage,
        );
        expect(claims.length).toBeLessThanOrEqual(hardOf(manifests, "persistentvolumeclaims"));
        expect(storage.reduce((sum, one) => sum + quantityValue(one), 0)).toBeLessThanOrEqual(
          hardOf(manifests, "requests.storage"),
        );
      }),
    );
  });
});
