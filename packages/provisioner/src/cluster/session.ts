import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { Agent, ProxyAgent, type Dispatcher } from "undici";

/** Where the API server is and how to speak to it, for the next half minute. */
export interface Session {
  /** Scheme, host, port and path prefix, without a slash at the end. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

export interface SessionSource extends AsyncDisposable {
  get(): Promise<Session>;
  /** After a 401: the kubeconfig is read again at the next request. */
  drop(): void;
}

export type Credentials = { readonly kubeconfig?: string; readonly inCluster?: boolean };

/** Rotated tokens and certificates are picked up within this time. */
const sessionMs = 30_000;
const connectMs = 5_000;

/**
 * Takes address and credentials from client-node, which knows all the ways in which a kubeconfig can name them, and
 * keeps one pool of connections for as long as the TLS material stays the same.
 */
export function openSessions(credentials: Credentials): SessionSource {
  // Read now, so that a kubeconfig that cannot be read is known at the start.
  let config: KubeConfig | null = loadConfig(credentials);
  let pool: { readonly key: string; readonly dispatcher: Dispatcher } | null = null;
  let current: { readonly session: Promise<Session>; readonly until: number } | null = null;

  const open = async (): Promise<Session> => {
    config ??= loadConfig(credentials);
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new Error("The kubeconfig names no current cluster.");
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const tls = tlsOf(options);
    const key = createHash("sha256")
      .update(JSON.stringify([cluster.server, cluster.proxyUrl, tls]))
      .digest("hex");
    if (pool?.key !== key) {
      // Requests that still run on the old pool finish; close() waits for them, and nobody waits for it.
      if (pool !== null) void pool.dispatcher.close().catch(() => undefined);
      pool = { key, dispatcher: createDispatcher(cluster.proxyUrl, tls) };
    }
    return { server: cluster.server.replace(/\/+$/u, ""), headers: headersOf(options), dispatcher: pool.dispatcher };
  };

  return {
    get() {
      if (current === null || performance.now() >= current.until) {
        const session = open();
        current = { session, until: performance.now() + sessionMs };
        // A failed look at the credentials is not kept.
        session.catch(() => (current = null));
      }
      return current.session;
    },
    drop: () => {
      current = null;
      config = null;
    },
    async [Symbol.asyncDispose]() {
      await pool?.dispatcher.destroy();
    },
  };
}

function loadConfig({ kubeconfig, inCluster }: Credentials): KubeConfig {
  const config = new KubeConfig();
  if (inCluster === true) config.loadFromCluster();
  else if (kubeconfig === undefined) config.loadFromDefault();
  else if (kubeconfig.includes("\n") || kubeconfig.trimStart().startsWith("{")) config.loadFromString(kubeconfig);
  else config.loadFromFile(kubeconfig);
  // client-node refuses plain HTTP unless TLS verification is off. On this machine's own loopback, as with a local
  // proxy, there is no TLS to verify.
  config.clusters = config.clusters.map((cluster) =>
    /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]?/u.test(cluster.server)
      ? { ...cluster, skipTLSVerify: true }
      : cluster,
  );
  return config;
}

type Tls = Readonly<Record<string, unknown>>;

function tlsOf(options: RequestOptions): Tls {
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
  const all = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function createDispatcher(proxyUrl: string | undefined, tls: Tls): Dispatcher {
  if (proxyUrl !== undefined) return new ProxyAgent({ uri: proxyUrl, requestTls: tls, connectTimeout: connectMs });
  return new Agent({ connect: { ...tls, timeout: connectMs, keepAlive: true, keepAliveInitialDelay: 30_000 } });
}

function headersOf(options: RequestOptions): Readonly<Record<string, string>> {
  const headers = Object.fromEntries(
    Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  if (typeof options.auth === "string")
    headers["Authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  return headers;
}
