import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type CoreContext, createContext, fromPublicId, inviteOperator, manualClock, readHouseId } from "@sewa/core";
import { type Client, createClient, withCore } from "@sewa/dev";
import { auditInventory, type AuditOutcome, createLog, openTaskContext, readEnv, toWorkerOptions } from "@sewa/worker";
import type { Devcluster } from "@sewa/devcluster";
import type { House } from "./house.ts";

export interface Auditor extends AsyncDisposable {
  readonly core: CoreContext;
  /** Moves the auditor's clock, and nobody else's. */
  pass(minutes: number): void;
  audit(): Promise<AuditOutcome>;
}

/** Audits as a worker does, on a clock that the test moves; of another database or cluster when told. */
export async function startAuditor(
  house: House,
  other: { readonly databaseUrl?: string; readonly cluster?: Devcluster } = {},
): Promise<Auditor> {
  const stack = new AsyncDisposableStack();
  const cluster = other.cluster ?? house.parts.devcluster!;
  const options = toWorkerOptions(readEnv(house.parts.env), createLog({ level: "silent" }));
  const context = stack.use(
    openTaskContext({
      ...options,
      databaseUrl: other.databaseUrl ?? house.parts.databaseUrl,
      cluster: { ...options.cluster!, kubeconfig: cluster.kubeconfig },
    }),
  );
  const clock = manualClock(new Date());
  const core = createContext({ ...context.core, clock }, { actor: context.core.actor });
  const signal = new AbortController().signal;
  return {
    core,
    pass: (minutes) => clock.set(new Date(clock.now().getTime() + minutes * 60_000)),
    async audit() {
      const deps = { core, cluster: context.cluster!, log: context.log };
      const outcome = await auditInventory(deps, { holder: "auditor", signal });
      if (outcome === null) throw new Error("Another audit runs.");
      return outcome;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** `kind Object namespace/name` of each finding, sorted. */
export function linesOf({ recorded }: AuditOutcome): readonly string[] {
  return recorded.map(({ finding: { kind, subject } }) => lineOf(kind, subject)).toSorted();
}

export function lineOf(
  kind: string,
  {
    kind: subjectKind,
    namespace,
    name,
  }: { readonly kind: string; readonly namespace?: string | null; readonly name: string },
): string {
  return `${kind} ${subjectKind} ${namespace ?? ""}/${name}`;
}

const roots: Readonly<Record<string, string>> = {
  Namespace: "api/v1 namespaces",
  ResourceQuota: "api/v1 resourcequotas",
  LimitRange: "api/v1 limitranges",
  ServiceAccount: "api/v1 serviceaccounts",
  Secret: "api/v1 secrets",
  ConfigMap: "api/v1 configmaps",
  PersistentVolumeClaim: "api/v1 persistentvolumeclaims",
  Service: "api/v1 services",
  Deployment: "apis/apps/v1 deployments",
  Job: "apis/batch/v1 jobs",
  NetworkPolicy: "apis/networking.k8s.io/v1 networkpolicies",
  Ingress: "apis/networking.k8s.io/v1 ingresses",
};

/** Changes the cluster with its administrator's rights, as a person with kubectl. */
export interface Hands {
  create(kind: string, namespace: string | null, name: string, more?: Fields): Promise<void>;
  patch(kind: string, namespace: string | null, name: string, change: Fields): Promise<void>;
  erase(kind: string, namespace: string | null, name: string): Promise<void>;
}

type Fields = Readonly<Record<string, unknown>>;

export function handsOn(cluster: Devcluster): Hands {
  const token = /token: "?([^"\n]+)/.exec(cluster.kubeconfig)![1]!.trim();
  const send = async (method: string, path: string, body: unknown, contentType: string): Promise<void> => {
    const answer = await fetch(`${cluster.url}/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  };
  const pathOf = (kind: string, namespace: string | null, name = ""): string => {
    const [root, plural] = roots[kind]!.split(" ");
    return `${root}/${namespace === null ? "" : `namespaces/${namespace}/`}${plural}${name === "" ? "" : `/${name}`}`;
  };
  return {
    async create(kind, namespace, name, { metadata, ...more } = {}) {
      const apiVersion = roots[kind]!.split(" ")[0]!.replace(/^apis?\//, "");
      const body = { apiVersion, kind, metadata: { name, ...(metadata as Fields | undefined) }, ...more };
      await send("POST", pathOf(kind, namespace), body, "application/json");
    },
    patch: (kind, namespace, name, change) =>
      send("PATCH", pathOf(kind, namespace, name), change, "application/merge-patch+json"),
    erase: (kind, namespace, name) => send("DELETE", pathOf(kind, namespace, name), undefined, "application/json"),
  };
}

export interface Ids {
  readonly houseId: string;
  readonly organizationId: string;
  readonly subscriptionId: string;
  readonly instanceId: string;
}

/** Of nobody that a row knows, in the given house. */
export function madeUpIds(houseId: string): Ids {
  return { houseId, organizationId: randomUUID(), subscriptionId: randomUUID(), instanceId: randomUUID() };
}

/** Metadata with the labels that a house puts on everything. */
export function labelled({ houseId, organizationId, subscriptionId, instanceId }: Ids): { readonly metadata: Fields } {
  return {
    metadata: {
      labels: {
        "app.kubernetes.io/managed-by": "sewa",
        "sewa.dev/house": houseId,
        "sewa.dev/organization": organizationId,
        "sewa.dev/subscription": subscriptionId,
        "sewa.dev/instance": instanceId,
      },
    },
  };
}

const pod = {
  metadata: { labels: { app: "by-hand" } },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 1_000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "app",
        image: "registry.local/busybox:1",
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "20m", memory: "32Mi" } },
      },
    ],
  },
};

/** What an object of a kind needs at least. */
export const bodies: Readonly<Record<string, Fields>> = {
  Namespace: {},
  ConfigMap: { data: { key: "value" } },
  ServiceAccount: {},
  Service: { spec: { selector: { app: "by-hand" }, ports: [{ port: 80 }] } },
  PersistentVolumeClaim: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  Deployment: { spec: { replicas: 1, selector: { matchLabels: { app: "by-hand" } }, template: pod } },
  NetworkPolicy: { spec: { podSelector: {}, policyTypes: ["Ingress"] } },
  Ingress: { spec: { defaultBackend: { service: { name: "by-hand", port: { number: 80 } } } } },
  Job: { spec: { template: { ...pod, spec: { ...pod.spec, restartPolicy: "Never" } } } },
};

export function uuid(kind: "instance" | "subscription" | "organization", id: string): string {
  const found = fromPublicId(kind, id);
  if (found === null) throw new Error(`${id} is no id of a kind ${kind}.`);
  return found;
}

/** An operator with a client of their own. */
export async function operatorOf(house: House): Promise<Client> {
  const password = "correct horse battery";
  const email = `operator-${randomUUID()}@example.com`;
  const { url } = await withCore(house.parts, (ctx) => inviteOperator(ctx, { email, name: "Sari" }));
  const server = house.servers[0]!.url;
  await using visitor = createClient(server, null);
  await visitor.api.auth.acceptOperatorInvite.mutate({ token: new URL(url).searchParams.get("token")!, password });
  const { token } = await visitor.api.auth.logIn.mutate({ email, password });
  return createClient(server, token);
}

export function houseIdOf({ parts }: Pick<House, "parts">): Promise<string> {
  return withCore(parts, (ctx) => readHouseId(ctx.db.drizzle));
}

/** Runs `sewa …` as a process of its own, over the house's database. */
export async function sewa(
  house: House,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly stdout: string }> {
  const main = fileURLToPath(new URL("../../apps/cli/main.ts", import.meta.url));
  const env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: house.parts.databaseUrl };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout };
}
