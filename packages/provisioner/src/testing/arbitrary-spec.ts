import type { ResolvedApp, ResolvedProbe, ResolvedWorkload } from "@sewa/blueprint";
import fc from "fast-check";
import type { InstanceSpec } from "../render/types.ts";
import { testClaim } from "./specs.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/u);
const portName = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/u);
const path = fc.stringMatching(/^(\/[a-z0-9._]{1,12}){1,3}$/u);
const security = fc.record({
  runAsUser: fc.integer({ min: 1, max: 65_534 }),
  runAsGroup: fc.integer({ min: 1, max: 65_534 }),
  fsGroup: fc.integer({ min: 1, max: 65_534 }),
  readOnlyRootFilesystem: fc.boolean(),
});
const env = fc.uniqueArray(
  fc.oneof(
    fc.record({ name: fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/u), value: text }),
    fc.record({ name: fc.stringMatching(/^[A-Z][A-Z0-9_]{0,12}$/u), secret: fc.constantFrom("adminPassword", "key") }),
  ),
  { maxLength: 4, selector: ({ name }) => name },
);

function probe(port: string): fc.Arbitrary<ResolvedProbe> {
  const timing = {
    periodSeconds: fc.integer({ min: 1, max: 60 }),
    timeoutSeconds: fc.constant(5),
    failureThreshold: fc.constant(3),
  };
  return fc.oneof(
    fc.record({ type: fc.constant("http" as const), path, port: fc.constant(port), ...timing }),
    fc.record({ type: fc.constant("tcp" as const), port: fc.constant(port), ...timing }),
    fc.record({
      type: fc.constant("exec" as const),
      command: fc.array(text, { minLength: 1, maxLength: 3 }),
      ...timing,
    }),
  );
}

/** Positive weights whose sum is at most 1. */
function shares(count: number): fc.Arbitrary<readonly number[]> {
  return fc
    .array(fc.integer({ min: 1, max: 100 }), { minLength: count, maxLength: count })
    .map((weights) => weights.map((weight) => weight / weights.reduce((sum, next) => sum + next, 0)));
}

function workload(
  id: string,
  volumes: ResolvedWorkload["volumes"],
  share: ResolvedWorkload["share"],
): fc.Arbitrary<ResolvedWorkload> {
  const ports = fc.uniqueArray(fc.record({ name: portName, port: fc.integer({ min: 1, max: 65_535 }) }), {
    minLength: 1,
    maxLength: 3,
    selector: ({ name }) => name,
  });
  return ports.chain((list) =>
    fc.record({
      id: fc.constant(id),
      kind: fc.constantFrom("Deployment" as const, "StatefulSet" as const),
      image: fc.constant("registry.example.com/app:1"),
      env,
      ports: fc.constant(list),
      volumes: fc.constant(volumes),
      scratchPaths: fc.uniqueArray(path, { maxLength: 2 }),
      files: fc.uniqueArray(fc.record({ path, content: text }), { maxLength: 2, selector: (file) => file.path }),
      probes: fc.record({ readiness: probe(list[0]?.name ?? "http") }),
      share: fc.constant(share),
      security,
    }),
  );
}

const app: fc.Arbitrary<ResolvedApp> = fc
  .record({
    ids: fc.uniqueArray(label, { minLength: 1, maxLength: 4 }),
    volumeNames: fc.uniqueArray(label, { maxLength: 4 }),
    hasClaim: fc.boolean(),
  })
  .chain(({ ids, volumeNames, hasClaim }) =>
    fc
      .tuple(shares(ids.length), shares(ids.length), shares(volumeNames.length))
      .chain(([cpu, memory, storage]) =>
        fc.tuple(
          ...ids.map((id, index) => {
            const volumes = volumeNames
              .map((name, at) => ({ name, mountPath: `/data/${String(at)}`, share: storage[at] ?? 1 }))
              .filter((_, at) => at % ids.length === index);
            return workload(id, volumes, { cpu: cpu[index] ?? 1, memory: memory[index] ?? 1 });
          }),
        ),
      )
      .map((workloads) => ({
        workloads,
        exposed: { workload: workloads[0]?.id ?? "", port: workloads[0]?.ports[0]?.name ?? "" },
        claim: hasClaim ? testClaim() : null,
        healthChecks: [],
        secrets: ["adminPassword", "key"].map((name) => ({
          name,
          label: name,
          generate: { type: "literal" as const, value: "" },
          reveal: "never" as const,
        })),
        provisionDeadlineSeconds: 300,
        instructions: null,
      })),
  );

/** Any spec that a checked blueprint and a sane plan can lead to. */
export const arbitrarySpec: fc.Arbitrary<InstanceSpec> = fc.record({
  houseId: fc.uuid(),
  organizationId: fc.uuid(),
  subscriptionId: fc.uuid(),
  instanceId: fc.uuid(),
  host: fc.constant("x-a1b2c3.apps.example.com"),
  phase: fc.constantFrom("running" as const, "stopped" as const),
  generation: fc.nat(),
  restartRequestedAt: fc.constantFrom(null, "2026-11-21T00:00:00.000Z"),
  app,
  limits: fc
    .record({
      cpu: fc.integer({ min: 1, max: 64_000 }),
      memory: fc.integer({ min: 1, max: 2 ** 36 }),
      times: fc.integer({ min: 1, max: 4 }),
    })
    .chain(({ cpu, memory, times }) =>
      fc.record({
        cpuRequestMillis: fc.constant(cpu),
        cpuLimitMillis: fc.constant(cpu * times),
        memoryRequestBytes: fc.constant(memory),
        memoryLimitBytes: fc.constant(memory * times),
        storageBytes: fc.integer({ min: 1, max: 2 ** 42 }),
      }),
    ),
  secrets: fc.record({ adminPassword: text, key: text }),
  ownerClaimed: fc.boolean(),
  requestId: fc.oneof(fc.constant(null), fc.uuid(), fc.string(), fc.stringMatching(/^[A-Za-z0-9._-]{1,70}$/)),
});
