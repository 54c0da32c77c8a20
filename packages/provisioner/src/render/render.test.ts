import { describe, expect, test } from "vitest";
import { testApp, testClaim, testSettings, testSpec, testWorkload } from "../testing/specs.ts";
import { validateManifest } from "../testing/validate-manifest.ts";
import { namespaceName, renderManifests } from "./index.ts";
import type { ClusterSettings, InstanceSpec, KubeManifest } from "./types.ts";

function render(change: Partial<InstanceSpec> = {}, settings: Partial<ClusterSettings> = {}): readonly KubeManifest[] {
  return renderManifests(testSpec(change), { ...testSettings, ...settings });
}

function one(manifests: readonly KubeManifest[], kind: string, name?: string): KubeManifest {
  const found = manifests.filter(
    ({ kind: own, metadata }) => own === kind && (name ?? metadata.name) === metadata.name,
  );
  expect(found, `${kind} ${name ?? ""}`).toHaveLength(1);
  return found[0]!;
}

function specOf<T>(manifest: KubeManifest): T {
  return manifest["spec"] as T;
}

interface Template {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly spec: Record<string, unknown> & {
    readonly containers: readonly [Record<string, unknown>];
    readonly volumes: readonly Record<string, unknown>[];
  };
}

const ids = {
  "app.kubernetes.io/managed-by": "sewa",
  "sewa.dev/organization": "0199aaaa-0000-7000-8000-000000000001",
  "sewa.dev/subscription": "0199aaaa-0000-7000-8000-000000000002",
  "sewa.dev/instance": "0199aaaa-0000-7000-8000-000000000003",
};
/** Pods carry the ids alone; every object that we make says also whose installation it is of. */
const own = { ...ids, "sewa.dev/house": "0199aaaa-0000-7000-8000-000000000000" };
const namespace = "sewa-0199aaaa-0000-7000-8000-000000000003";

test("pods and claim go to the machines of the plan's pool; the default pool is every machine without a label", () => {
  const selectors = (nodePool: string) =>
    render({ nodePool })
      .filter(({ kind }) => kind === "Deployment" || kind === "Job")
      .map((manifest) => specOf<{ template: Template }>(manifest).template.spec["nodeSelector"]);
  expect(selectors("fast")).toEqual([{ "sewa.dev/pool": "fast" }, { "sewa.dev/pool": "fast" }]);
  expect(selectors("default")).toEqual([undefined, undefined]);
});

describe("the order", () => {
  test("puts what restricts before what runs, and the claim last while the address is closed", () => {
    expect(render().map(({ kind }) => kind)).toEqual([
      "Namespace",
      "ResourceQuota",
      "LimitRange",
      ...Array.from({ length: 4 }, () => "NetworkPolicy"),
      "ServiceAccount",
      "Secret",
      "PersistentVolumeClaim",
      "Deployment",
      "Service",
      "Job",
    ]);
  });

  test("ends with the address once the owner account is claimed, and the claim runs no more", () => {
    const kinds = render({ ownerClaimed: true }).map(({ kind }) => kind);
    expect(kinds.at(-1)).toBe("Ingress");
    expect(kinds).not.toContain("Job");
  });

  test("opens the address of an app that needs no claim at once", () => {
    const kinds = render({ app: testApp({ claim: null }) }).map(({ kind }) => kind);
    expect(kinds.at(-1)).toBe("Ingress");
    expect(kinds).not.toContain("Job");
  });

  test("is empty for an instance that is to be absent", () => {
    expect(render({ phase: "absent" })).toEqual([]);
  });
});

describe("the namespace", () => {
  test("is named after the instance's id alone and enforces the restricted profile", () => {
    const manifest = one(render({ generation: 7, requestId: "req-1" }), "Namespace");
    expect(manifest.metadata).toEqual({
      name: namespace,
      labels: {
        ...own,
        "sewa.dev/request-id": "req-1",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
      annotations: { "sewa.dev/generation": "7" },
    });
    expect(namespaceName("0199aaaa-0000-7000-8000-000000000003")).toBe(namespace);
  });

  test("grants the plan plus the claim job", () => {
    expect(specOf<{ hard: unknown }>(one(render(), "ResourceQuota")).hard).toEqual({
      "requests.cpu": "300m",
      "limits.cpu": "1500m",
      "requests.memory": "384Mi",
      "limits.memory": "768Mi",
      "requests.storage": "1Gi",
      persistentvolumeclaims: "1",
      pods: "2",
      services: "1",
      "services.loadbalancers": "0",
      "services.nodeports": "0",
      "count/configmaps": "6",
      "count/secrets": "6",
      "count/jobs.batch": "5",
      "count/ingresses.networking.k8s.io": "6",
    });
  });

  test("keeps its quota when the claim is done, so that nothing changes at that moment", () => {
    expect(one(render({ ownerClaimed: true }), "ResourceQuota")).toEqual(one(render(), "ResourceQuota"));
  });

  test("caps a container at the plan, which is applied before the workload", () => {
    expect(specOf<unknown>(one(render(), "LimitRange"))).toEqual({
      limits: [
        {
          type: "Container",
          defaultRequest: { cpu: "50m", memory: "128Mi" },
          default: { cpu: "500m", memory: "256Mi" },
          max: { cpu: "1", memory: "512Mi" },
        },
      ],
    });
  });

  test("has an account without a token", () => {
    expect(one(render(), "ServiceAccount")["automountServiceAccountToken"]).toBe(false);
  });
});

describe("the network", () => {
  test("is closed in both directions", () => {
    expect(specOf(one(render(), "NetworkPolicy", "default-deny"))).toEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
    });
  });

  test("opens the internet, but no private range, no metadata service and no port 25", () => {
    const { egress } = specOf<{
      egress: {
        to: { ipBlock: { cidr: string; except: string[] } }[];
        ports: { protocol: string; port: number; endPort: number }[];
      }[];
    }>(one(render({}, { apiServerCidrs: ["203.0.113.7/32"] }), "NetworkPolicy", "allow-internet"));
    const [four, six] = egress[0]!.to.map(({ ipBlock }) => ipBlock);
    expect(four!.except).toEqual(
      expect.arrayContaining(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "203.0.113.7/32"]),
    );
    expect(six!.except).toEqual(expect.arrayContaining(["fc00::/7", "fe80::/10"]));
    const allows = (protocol: string, port: number): boolean =>
      egress[0]!.ports.some((range) => range.protocol === protocol && range.port <= port && port <= range.endPort);
    expect([1, 24, 25, 26, 443, 465, 587, 65_535].filter((port) => !allows("TCP", port))).toEqual([25]);
    expect(allows("UDP", 443)).toBe(true);
  });

  test("lets the ingress controller in only when the address is open, and only to the exposed port", () => {
    const name = "allow-ingress-controller";
    expect(render().map(({ metadata }) => metadata.name)).not.toContain(name);
    expect(specOf(one(render({ ownerClaimed: true }), "NetworkPolicy", name))).toEqual({
      podSelector: { matchLabels: { "sewa.dev/workload": "kuma" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
          ports: [{ protocol: "TCP", port: 3001 }],
        },
      ],
    });
  });
});

describe("the workload", () => {
  test("is one pod at a time under the restricted profile, with the plan's resources and the volume", () => {
    const deployment = specOf<Record<string, unknown> & { template: Template }>(one(render(), "Deployment", "kuma"));
    expect(deployment).toMatchObject({
      replicas: 1,
      strategy: { type: "Recreate" },
      progressDeadlineSeconds: 300,
      selector: { matchLabels: { "sewa.dev/instance": ids["sewa.dev/instance"], "sewa.dev/workload": "kuma" } },
    });
    expect(deployment.template.metadata.labels).toEqual({ ...ids, "sewa.dev/workload": "kuma" });
    expect(deployment.template.spec).toEqual({
      serviceAccountName: "app",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: "kuma",
          image: "registry.local/busybox:1",
          command: expect.arrayContaining(["sh", "-c"]),
          env: [
            { name: "MODE", value: "production" },
            { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "secrets", key: "adminPassword" } } },
          ],
          resources: {
            requests: { cpu: "250m", memory: "256Mi", "ephemeral-storage": "64Mi" },
            limits: { cpu: "1", memory: "512Mi", "ephemeral-storage": "2Gi" },
          },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
          ports: [{ name: "http", containerPort: 3001, protocol: "TCP" }],
          volumeMounts: [
            { name: "data-data", mountPath: "/app/data" },
            { name: "scratch-0", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "data-data", persistentVolumeClaim: { claimName: "data" } },
        { name: "scratch-0", emptyDir: { sizeLimit: "1Gi" } },
      ],
    });
  });

  test("that is stopped has no replicas, keeps its volume claim and its address, and runs no claim", () => {
    const stopped = render({ phase: "stopped", ownerClaimed: true });
    expect(specOf<{ replicas: number }>(one(stopped, "Deployment")).replicas).toBe(0);
    one(stopped, "PersistentVolumeClaim", "data");
    one(stopped, "Ingress");
    expect(render({ phase: "stopped" }).map(({ kind }) => kind)).not.toContain("Job");
  });

  test("resumes as exactly what it was", () => {
    const running = one(render({ ownerClaimed: true }), "Deployment");
    const stopped = one(render({ ownerClaimed: true, phase: "stopped" }), "Deployment");
    expect(specOf<{ template: Template }>(stopped).template).toEqual(specOf<{ template: Template }>(running).template);
  });

  test("gets other pods by a restart, and by nothing that leaves it the same", () => {
    const template = (change: Partial<InstanceSpec>): Template =>
      specOf<{ template: Template }>(one(render(change), "Deployment")).template;
    const restarted = template({ restartRequestedAt: "2026-11-21T08:00:00.000Z" });
    expect(restarted.metadata.annotations["sewa.dev/restart-requested-at"]).toBe("2026-11-21T08:00:00.000Z");
    expect(restarted).not.toEqual(template({}));
    expect(template({ generation: 9, requestId: "other", ownerClaimed: true })).toEqual(template({}));
  });

  test("and its namespace name the request that they go back to, and nothing else does", () => {
    const labelled = (requestId: string | null): readonly string[] =>
      render({ requestId })
        .filter(({ metadata }) => metadata.labels["sewa.dev/request-id"] === requestId)
        .map(({ kind }) => kind);
    expect(labelled("9f2c0f4e-7a53-4a0e-9e0c-0d7b6f3a1c55")).toEqual(["Namespace", "Deployment"]);
    // What no label can hold would make the cluster refuse the whole object.
    for (const odd of ["-begins-odd", "ends.odd.", "x".repeat(64), "two words", "a\nb", ""])
      expect(labelled(odd)).toEqual([]);
  });

  test("gets other pods when a secret or a file that it uses changes, and keeps both out of the pod", () => {
    const files = [{ path: "/etc/app.conf", content: "mode = fast" }];
    const template = (content: string, password: string): Template => {
      const app = testApp({ workloads: [testWorkload({ files: files.map(({ path }) => ({ path, content })) })] });
      return specOf<{ template: Template }>(one(render({ app, secrets: { adminPassword: password } }), "Deployment"))
        .template;
    };
    expect(template("a", "x")).toEqual(template("a", "x"));
    expect(template("b", "x")).not.toEqual(template("a", "x"));
    expect(template("a", "y")).not.toEqual(template("a", "x"));
    expect(JSON.stringify(template("a", "tell-nobody"))).not.toContain("tell-nobody");
  });

  test("mounts each file where it belongs", () => {
    const app = testApp({ workloads: [testWorkload({ files: [{ path: "/etc/app.conf", content: "mode = fast" }] })] });
    const manifests = render({ app });
    expect(one(manifests, "ConfigMap", "files-kuma")["data"]).toEqual({ "file-0": "mode = fast" });
    const [container] = specOf<{ template: Template }>(one(manifests, "Deployment")).template.spec.containers;
    expect(container["volumeMounts"]).toContainEqual({
      name: "files",
      mountPath: "/etc/app.conf",
      subPath: "file-0",
      readOnly: true,
    });
  });

  test("may listen below 1024 without privileges by the one sysctl that is safe", () => {
    const app = testApp({ workloads: [testWorkload({ ports: [{ name: "http", port: 80 }] })] });
    const { spec } = specOf<{ template: Template }>(one(render({ app }), "Deployment")).template;
    expect(spec["securityContext"]).toMatchObject({
      sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
    });
  });

  test("as a StatefulSet keeps its volume whatever happens to the set", () => {
    const app = testApp({ workloads: [testWorkload({ kind: "StatefulSet" })] });
    expect(specOf(one(render({ app }), "StatefulSet", "kuma"))).toMatchObject({
      serviceName: "kuma",
      replicas: 1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    });
    one(render({ app }), "PersistentVolumeClaim", "data");
  });

  test("renders every kind of probe as declared", () => {
    const timing = { periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 };
    const probes = {
      startup: { type: "tcp", port: "http", ...timing },
      readiness: {
        type: "http",
        path: "/ready",
        port: "http",
        headers: { "x-probe": "1" },
        initialDelaySeconds: 4,
        ...timing,
      },
      liveness: { type: "exec", command: ["true"], ...timing },
    } as const;
    const app = testApp({ workloads: [testWorkload({ probes })] });
    const [container] = specOf<{ template: Template }>(one(render({ app }), "Deployment")).template.spec.containers;
    expect(container).toMatchObject({
      startupProbe: { tcpSocket: { port: "http" }, ...timing },
      readinessProbe: {
        httpGet: { path: "/ready", port: "http", httpHeaders: [{ name: "x-probe", value: "1" }] },
        initialDelaySeconds: 4,
        ...timing,
      },
      livenessProbe: { exec: { command: ["true"] }, ...timing },
    });
  });
});

describe("the secret", () => {
  test("holds the declared values and nothing else", () => {
    const secret = one(render({ secrets: { adminPassword: "pässword", undeclared: "x" } }), "Secret", "secrets");
    expect(secret["data"]).toEqual({ adminPassword: Buffer.from("pässword").toString("base64") });
  });

  test("is the only place where a value stands", () => {
    const manifests = render({ secrets: { adminPassword: "tell-nobody-9f2" } });
    const encoded = Buffer.from("tell-nobody-9f2").toString("base64");
    const holders = manifests.filter(
      (manifest) => /tell-nobody-9f2/u.test(JSON.stringify(manifest)) || JSON.stringify(manifest).includes(encoded),
    );
    expect(holders.map(({ kind }) => kind)).toEqual(["Secret"]);
  });

  test("that was never generated is refused instead of rendered as a pod that waits for ever", () => {
    expect(() => render({ secrets: {} })).toThrow("adminPassword");
  });
});

describe("the claim", () => {
  test("is a Job that tries a few times, has an end, and stays as proof", () => {
    const job = specOf<Record<string, unknown> & { template: Template }>(one(render(), "Job"));
    expect(job).toMatchObject({ backoffLimit: 5, activeDeadlineSeconds: 360 });
    expect(job).not.toHaveProperty("ttlSecondsAfterFinished");
    expect(job.template.spec).toMatchObject({
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true },
    });
  });

  test("is the same Job as long as it is the same claim, and another one when it changes", () => {
    const nameOf = (change: Partial<InstanceSpec>): string => one(render(change), "Job").metadata.name;
    expect(nameOf({ generation: 5, requestId: "x", restartRequestedAt: "2026-11-21T08:00:00Z" })).toBe(nameOf({}));
    expect(nameOf({ app: testApp({ claim: testClaim({ args: ["--again"] }) }) })).not.toBe(nameOf({}));
  });
});

describe("the address", () => {
  test("leads one host to the exposed port", () => {
    expect(specOf(one(render({ ownerClaimed: true }), "Ingress", "address"))).toEqual({
      ingressClassName: "traefik",
      rules: [
        {
          host: "kuma-a1b2c3.apps.example.com",
          http: {
            paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "kuma", port: { name: "http" } } } }],
          },
        },
      ],
    });
  });

  test.each([
    [null, undefined],
    ["default" as const, [{ hosts: ["kuma-a1b2c3.apps.example.com"] }]],
    [{ secretName: "wild" }, [{ hosts: ["kuma-a1b2c3.apps.example.com"], secretName: "wild" }]],
  ])("speaks TLS as the cluster is set up: %j", (ingressTls, tls) => {
    const ingress = one(render({ ownerClaimed: true }, { ingressTls }), "Ingress");
    expect(specOf<{ tls?: unknown }>(ingress).tls).toEqual(tls);
  });
});

describe("the yardstick", () => {
  test.each([
    ["an unknown field", { spec: { replica: 1 } }, "unknown field"],
    ["a wrong type", { spec: { replicas: "1" } }, "not a whole number"],
    ["a missing field", { spec: { replicas: 1, template: {} } }, "lacks selector"],
  ])("notices %s", (_, change, problem) => {
    const deployment = { ...one(render(), "Deployment"), ...change };
    expect(validateManifest(deployment).join("\n")).toContain(problem);
  });
});
