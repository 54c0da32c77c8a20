import type { ResolvedApp, ResolvedJob, ResolvedWorkload } from "@sewa/blueprint";
import type { ClusterSettings, InstanceSpec } from "../render/types.ts";

const security = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, readOnlyRootFilesystem: true } as const;

/** Any small image with a shell. */
export const testImage = "registry.local/busybox:1";

export const testSettings: ClusterSettings = {
  ingressClassName: "traefik",
  ingressNamespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
  storageClassName: null,
};

export function testWorkload(change: Partial<ResolvedWorkload> = {}): ResolvedWorkload {
  return {
    id: "kuma",
    kind: "Deployment",
    image: testImage,
    command: ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done"],
    env: [
      { name: "MODE", value: "production" },
      { name: "PASSWORD", secret: "adminPassword" },
    ],
    ports: [{ name: "http", port: 3001 }],
    volumes: [{ name: "data", mountPath: "/app/data", share: 1 }],
    scratchPaths: ["/tmp"],
    files: [],
    probes: {},
    share: { cpu: 1, memory: 1 },
    security,
    ...change,
  };
}

export function testClaim(change: Partial<ResolvedJob> = {}): ResolvedJob {
  return {
    image: testImage,
    command: ["sh", "-c", 'test -n "$PASSWORD"'],
    env: [{ name: "PASSWORD", secret: "adminPassword" }],
    timeoutSeconds: 60,
    security,
    ...change,
  };
}

export function testApp(change: Partial<ResolvedApp> = {}): ResolvedApp {
  return {
    workloads: [testWorkload()],
    exposed: { workload: "kuma", port: "http" },
    claim: testClaim(),
    healthChecks: [],
    secrets: [
      {
        name: "adminPassword",
        label: "Password",
        generate: { type: "random", length: 24, charset: "password" },
        reveal: "owner",
      },
    ],
    provisionDeadlineSeconds: 300,
    instructions: null,
    ...change,
  };
}

export function testSpec(change: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    houseId: "0199aaaa-0000-7000-8000-000000000000",
    organizationId: "0199aaaa-0000-7000-8000-000000000001",
    subscriptionId: "0199aaaa-0000-7000-8000-000000000002",
    instanceId: "0199aaaa-0000-7000-8000-000000000003",
    host: "kuma-a1b2c3.apps.example.com",
    phase: "running",
    generation: 1,
    restartRequestedAt: null,
    app: testApp(),
    limits: {
      cpuRequestMillis: 250,
      cpuLimitMillis: 1000,
      memoryRequestBytes: 256 * 1024 ** 2,
      memoryLimitBytes: 512 * 1024 ** 2,
      storageBytes: 1024 ** 3,
    },
    secrets: { adminPassword: "correct horse battery staple" },
    ownerClaimed: false,
    ...change,
  };
}
