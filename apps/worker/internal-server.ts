import { createServer, type ServerResponse } from "node:http";
import { hostname } from "node:os";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { LogRelay } from "./log-relay.ts";

/** What a process supervisor and a monitor ask. Nothing here is for customers; the port stays inside the house. */
export interface InternalServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly registry: Registry;
  readonly health: () => Health;
  /** Whether work can be done right now. */
  readonly isReady: () => Promise<boolean>;
  readonly logs: LogRelay;
}

export interface Health {
  readonly isAlive: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface InternalServer extends AsyncDisposable {
  /** Where other processes of ours reach it. */
  readonly url: string;
}

/**
 * `/healthz`: 503 when the process should be restarted; `/readyz`: 503 when it cannot work at the moment; `/metrics` for
 * Prometheus; `/logs` for servers of ours that show a ticket. Rejects when the port is taken.
 */
export async function startInternalServer(options: InternalServerOptions): Promise<InternalServer> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, { error: "GET only" });
    answer(options, request.url ?? "/", response).catch(() => send(response, 500, { error: "internal error" }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${advertisedHost(options.host)}:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(options: InternalServerOptions, target: string, response: ServerResponse): Promise<void> {
  const url = new URL(target, "http://internal");
  switch (url.pathname) {
    case "/healthz": {
      const { isAlive, details } = options.health();
      return send(response, isAlive ? 200 : 503, { status: isAlive ? "ok" : "dead", ...details });
    }
    case "/readyz": {
      const isReady = await options.isReady();
      return send(response, isReady ? 200 : 503, { status: isReady ? "ready" : "not ready" });
    }
    case "/metrics": {
      const text = await options.registry.metrics();
      response.writeHead(200, { "content-type": options.registry.contentType }).end(text);
      return;
    }
    case "/logs":
      return options.logs.serve(url.searchParams.get("ticket") ?? "", response);
    default:
      send(response, 404, { error: "not found" });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** An address that means "every interface" leads nowhere from another machine. */
function advertisedHost(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "") return hostname();
  return host.includes(":") ? `[${host}]` : host;
}
