import {
  type CoreConfig,
  type CoreContext,
  createContext,
  type Keyring,
  type Mailer,
  type PaymentProvider,
  sharedClock,
  uuidV7Ids,
} from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { type Cluster, type ClusterSettings, connectCluster, type Effect } from "@sewa/provisioner";
import type { Logger } from "./log.ts";
import { createMailer } from "./mailer.ts";
import { createMetrics, type WorkerMetrics } from "./metrics.ts";

export interface ClusterOptions {
  /** Path or text of a kubeconfig; without it, the pod's own ServiceAccount. */
  readonly kubeconfig: string | null;
  readonly settings: ClusterSettings;
  /** `host:port` of the ingress controller; null: an app is healthy when its pods are ready. */
  readonly ingressAddress: string | null;
}

export interface ContextOptions {
  readonly databaseUrl: string;
  /** Connections for the tasks, beside those of the queue. */
  readonly databasePoolMax: number;
  readonly smtpUrl: string;
  readonly mailFrom: string;
  /** Null: this worker leaves instances and nodes to others. */
  readonly cluster: ClusterOptions | null;
  readonly config: CoreConfig;
  readonly keyring: Keyring;
  /** None: nothing is paid by card. */
  readonly providers?: readonly PaymentProvider[];
  /** How long a settled instance goes without a look at it. */
  readonly resyncSeconds: number;
  readonly log: Logger;
  /** Wraps each change of the world outside the database: objects of the cluster, mails, payments. For fault tests. */
  readonly effect?: Effect;
}

/** What the tasks of one process work with. */
export interface TaskContext extends AsyncDisposable {
  readonly core: CoreContext;
  readonly cluster: Cluster | null;
  readonly mailer: Mailer;
  readonly providers: readonly PaymentProvider[];
  readonly log: Logger;
  readonly metrics: WorkerMetrics;
  readonly resyncSeconds: number;
  /** Takes the time from the database, again and again; rejects when that does not answer the first time. */
  keepTime(): Promise<void>;
}

const clockSyncMs = 60_000;
const statementMs = 60_000;
const lockMs = 10_000;
const answerMs = 65_000;

/** Opens no connection yet: the first use does. Throws when the kubeconfig cannot be understood. */
export function openTaskContext(options: ContextOptions): TaskContext {
  const { log, resyncSeconds, effect = (_, change) => change() } = options;
  const providers = (options.providers ?? []).map((provider) => withEffects(provider, effect));
  const metrics = createMetrics();
  const resources = new AsyncDisposableStack();
  const cluster = options.cluster === null ? null : resources.use(openCluster(options.cluster, options, effect));
  const smtp = resources.use(createMailer({ url: options.smtpUrl, from: options.mailFrom }));
  const mailer: Mailer = { send: (mail) => effect("send:Mail", () => smtp.send(mail)) };
  const db = resources.use(
    connectDatabase({
      url: options.databaseUrl,
      role: "sewa_worker",
      max: options.databasePoolMax,
      applicationName: "sewa-worker",
      statementTimeoutMs: statementMs,
      lockTimeoutMs: lockMs,
      idleInTransactionTimeoutMs: statementMs,
      answerTimeoutMs: answerMs,
    }),
  );
  const clock = sharedClock(() => db.nowMs());
  const core = createContext(
    {
      db,
      clock,
      ids: uuidV7Ids(clock),
      keyring: options.keyring,
      config: options.config,
      paymentProviders: providers.map(({ name }) => name),
      observer: {
        event({ type, fields }) {
          metrics.events.inc({ type });
          log.info({ event: type, ...fields }, "event");
        },
      },
    },
    { actor: { type: "system", name: "worker" } },
  );
  return {
    core,
    cluster,
    mailer,
    providers,
    log,
    metrics,
    resyncSeconds,
    async keepTime() {
      await clock.sync();
      const timer = setInterval(() => void clock.sync().catch(() => undefined), clockSyncMs).unref();
      resources.defer(() => clearInterval(timer));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What may move money, or keep it from moving. */
function withEffects(provider: PaymentProvider, effect: Effect): PaymentProvider {
  return {
    name: provider.name,
    begin: (request, signal) => effect("begin:Payment", () => provider.begin(request, signal)),
    cancel: (reference, signal) => effect("cancel:Payment", () => provider.cancel(reference, signal)),
    refund: (request, signal) => effect("begin:Refund", () => provider.refund(request, signal)),
    lookUp: (reference, signal) => provider.lookUp(reference, signal),
    lookUpRefund: (reference, signal) => provider.lookUpRefund(reference, signal),
    readNotice: (body, headers, now) => provider.readNotice(body, headers, now),
  };
}

function openCluster(
  { kubeconfig, settings, ingressAddress }: ClusterOptions,
  { log, resyncSeconds }: Pick<ContextOptions, "log" | "resyncSeconds">,
  effect: Effect,
): Cluster {
  return connectCluster({
    ...(kubeconfig === null ? { inCluster: true } : { kubeconfig }),
    ...(ingressAddress === null ? {} : { ingressAddress }),
    settings,
    resyncMs: resyncSeconds * 1_000,
    log,
    effect,
  });
}
