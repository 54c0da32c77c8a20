import { claimController } from "./controllers/claims.ts";
import { create, find, type Control } from "./controllers/control.ts";
import { deploymentController } from "./controllers/deployments.ts";
import { EventRecorder } from "./controllers/events.ts";
import { garbageController } from "./controllers/garbage.ts";
import { jobController } from "./controllers/jobs.ts";
import { kubeletController } from "./controllers/kubelet.ts";
import { ControlLoop } from "./controllers/loop.ts";
import { ensureNamespaceDefaults, namespaceController } from "./controllers/namespaces.ts";
import { defaultNodes, nodeController, registerNode, setNodeReady, type NodeShape } from "./controllers/nodes.ts";
import { replicaSetController } from "./controllers/replicasets.ts";
import { schedulerController } from "./controllers/scheduler.ts";
import { ingressController, quotaController } from "./controllers/small.ts";
import { statefulSetController } from "./controllers/statefulsets.ts";
import { PodLogs } from "./api/pod-logs.ts";
import { startApiServer } from "./api/server.ts";
import { Watches } from "./api/watch.ts";
import { FaultSwitches, type Faults } from "./faults.ts";
import { startIngress } from "./ingress/server.ts";
import { AppSwitches, type Apps } from "./ingress/switches.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import type { Pod } from "./kube/kinds.ts";
import { as, type KubeObject } from "./kube/object.ts";
import type { Objects } from "./objects/context.ts";
import { loadRegistry } from "./resources/registry.ts";
import { MetricsApi } from "./metrics/api.ts";
import { MetricsSwitches, type Metrics } from "./metrics/switches.ts";
import { readState, saveState } from "./state-file.ts";
import { Store } from "./store/store.ts";

export interface DevclusterOptions {
  /** Port of the API on 127.0.0.1; 0 (the default) takes any. */
  readonly port?: number;
  /** Port of the ingress on 127.0.0.1; 0 (the default) takes any. */
  readonly ingressPort?: number;
  readonly nodes?: readonly NodeShape[];
  /**
   * Multiplies every simulated duration: 1 (the default) feels like a small cluster, an app is ready in about four
   * seconds; 0 is as fast as the event loop allows.
   */
  readonly pace?: number;
  /** Objects and token are read from this file at the start and written into it after changes. */
  readonly stateFile?: string;
  readonly log?: (line: string, fields: Record<string, unknown>) => void;
}

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  /** The first one when left out. */
  readonly container?: string;
}

export interface Devcluster extends AsyncDisposable {
  /** `http://127.0.0.1:port` of the API. */
  readonly url: string;
  /** `http://127.0.0.1:port` of the ingress; it tells apps apart by the Host header. */
  readonly ingressUrl: string;
  /** YAML text with server and token. */
  readonly kubeconfig: string;
  /** What can be made to go wrong. */
  readonly faults: Faults;
  /** Whether apps answer behind the ingress. */
  readonly apps: Apps;
  /** What the metrics-server tells, and whether there is one. */
  readonly metrics: Metrics;
  /** The stored objects, of one kind ("Pod") or of all, sorted by namespace and name. */
  objects(kind?: string): readonly KubeObject[];
  /** Forgets the history, so that watches and lists of older versions are answered 410. */
  compact(): void;
  /** Lets the program of a running pod write: a line for each line of `text`. Throws when there is no such pod. */
  write(pod: PodRef, text: string): void;
  /** Forgets what the current run of the pod has written, as a kubelet does when the file has grown too large. */
  rotateLog(pod: PodRef): void;
  /** Resets the connections of all open watches and followed logs. Answers how many. */
  dropWatches(): number;
  stop(): Promise<void>;
}

const ingressClass = "traefik";

/** Starts a cluster in this process: the API, the controllers behind it and the ingress. Stop it, or nothing ends. */
export async function startDevcluster(options: DevclusterOptions = {}): Promise<Devcluster> {
  const pace = options.pace ?? 1;
  if (!(pace >= 0)) throw new Error(`pace must be a number from 0 on, not ${pace}`);
  const log = options.log ?? ((): void => undefined);
  const registry = loadRegistry();
  const store = new Store();
  const objects: Objects = {
    store,
    registry,
    ensureNamespaceDefaults: (namespace) => ensureNamespaceDefaults(objects, namespace),
  };
  const saved = options.stateFile === undefined ? null : readState(options.stateFile);
  for (const object of saved?.objects ?? []) {
    const resource = registry.findKind(object.apiVersion, object.kind);
    if (resource !== undefined) store.restore(resource.key, object);
  }

  const loop = new ControlLoop(store, (controller, key, error) =>
    log("reconcile failed", { controller, key, error: String(error) }),
  );
  const switches = new FaultSwitches();
  const control: Control = {
    objects,
    loop,
    events: new EventRecorder(objects),
    faults: switches,
    pace: (milliseconds) => milliseconds * pace,
  };
  const controllers = [
    namespaceController(control),
    garbageController(control),
    quotaController(control),
    deploymentController(control),
    replicaSetController(control),
    statefulSetController(control),
    jobController(control),
    claimController(control),
    schedulerController(control),
    kubeletController(control),
    nodeController(control),
    ingressController(control, ingressClass),
  ];
  for (const controller of controllers) loop.add(controller);
  const lookAgain = (): void => {
    for (const resource of registry.all) {
      for (const object of store.list(resource.key)) {
        const event = {
          type: "ADDED",
          resource: resource.key,
          version: store.version,
          object,
          previous: null,
        } as const;
        for (const controller of controllers) for (const key of controller.keysOf(event)) loop.mark(controller, key);
      }
    }
  };
  furnish(control, options.nodes ?? defaultNodes);
  if (saved !== null) lookAgain();

  const watches = new Watches();
  const logs = new PodLogs();
  store.subscribe(({ type, resource, object }) => {
    if (type === "DELETED" && resource === "pods") logs.forget(object.metadata.uid);
  });
  const measuring = new MetricsSwitches();
  const metrics = new MetricsApi(objects, measuring);
  const api = await startApiServer({
    objects,
    watches,
    logs,
    metrics,
    switches: switches.answers,
    port: options.port ?? 0,
    log,
    token: saved?.token ?? undefined,
  });
  const answering = new AppSwitches();
  const ingress = await startIngress(store, answering, options.ingressPort ?? 0);
  const saver =
    options.stateFile === undefined
      ? null
      : saveState(options.stateFile, store, registry, api.token, (error) =>
          log("state not saved", { error: String(error) }),
        );
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    loop.stop();
    await Promise.all([api.close(), ingress.close()]);
    await saver?.close();
  };
  return {
    url: api.url,
    ingressUrl: ingress.url,
    kubeconfig: renderKubeconfig(api.url, api.token),
    faults: switches.controls(lookAgain, (node, isReady) => setNodeReady(control, node, isReady)),
    apps: answering.controls(),
    metrics: measuring.controls(),
    objects: (kind) =>
      registry.all
        .filter((resource) => kind === undefined || resource.kind === kind)
        .flatMap((resource) => store.list(resource.key)),
    compact: () => store.compact(),
    write(ref, line) {
      const { pod, container } = containerOf(store, ref);
      logs.write(pod, container, line);
    },
    rotateLog(ref) {
      const { pod, container } = containerOf(store, ref);
      logs.rotate(pod, container);
    },
    dropWatches: () => watches.drop(),
    stop: () => (stopping ??= stop()),
    [Symbol.asyncDispose]: () => (stopping ??= stop()),
  };
}

function containerOf(store: Store, ref: PodRef): { readonly pod: Pod; readonly container: string } {
  const found = store.list("pods", ref.namespace).find(({ metadata }) => metadata.name === ref.name);
  if (found === undefined) throw new Error(`There is no pod ${ref.namespace}/${ref.name}.`);
  const pod = as<Pod>(found);
  return { pod, container: ref.container ?? pod.spec.containers[0]?.name ?? "" };
}

/** What every cluster of this kind has from the start: namespaces, nodes, a default storage and ingress class. */
function furnish(control: Control, nodes: readonly NodeShape[]): void {
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) {
    if (find(control, "namespaces", "", name) === null) create(control, "namespaces", "", { metadata: { name } });
    ensureNamespaceDefaults(control.objects, name);
  }
  for (const [index, node] of nodes.entries()) registerNode(control, node, index);
  if (find(control, "storageclasses.storage.k8s.io", "", "local-path") === null) {
    create(control, "storageclasses.storage.k8s.io", "", {
      metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "rancher.io/local-path",
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
    });
  }
  if (find(control, "ingressclasses.networking.k8s.io", "", ingressClass) === null) {
    create(control, "ingressclasses.networking.k8s.io", "", {
      metadata: { name: ingressClass, annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
      spec: { controller: "traefik.io/ingress-controller" },
    });
  }
}
