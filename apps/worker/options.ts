import { connectProviders, toCoreConfig } from "@sewa/core";
import type { ClusterOptions } from "./context.ts";
import type { Env } from "./env.ts";
import type { Logger } from "./log.ts";
import type { WorkerOptions } from "./start-worker.ts";

/** What the environment means for a worker. */
export function toWorkerOptions(env: Env, log: Logger): WorkerOptions {
  return {
    databaseUrl: env.DATABASE_URL,
    databasePoolMax: env.DATABASE_POOL_MAX,
    smtpUrl: env.SMTP_URL,
    mailFrom: env.MAIL_FROM,
    cluster: toClusterOptions(env),
    config: toCoreConfig(env),
    keyring: env.SECRETS_KEYRING,
    providers: connectProviders(env),
    jobConcurrency: env.JOB_CONCURRENCY,
    resyncSeconds: env.RESYNC_SECONDS,
    internal: { host: env.WORKER_INTERNAL_HOST, port: env.WORKER_INTERNAL_PORT },
    log,
  };
}

function toClusterOptions(env: Env): ClusterOptions | null {
  if (env.KUBECONFIG === undefined && env.KUBERNETES_SERVICE_HOST === undefined) return null;
  return {
    kubeconfig: env.KUBECONFIG ?? null,
    ingressAddress: env.INGRESS_ADDRESS ?? null,
    settings: {
      ingressClassName: env.INGRESS_CLASS,
      ingressNamespaceLabels: env.INGRESS_NAMESPACE_LABELS,
      storageClassName: env.STORAGE_CLASS ?? null,
      ingressTls: env.APPS_SCHEME === "https" ? "default" : null,
    },
  };
}
