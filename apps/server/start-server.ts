import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createInternalServer } from "./health.ts";
import { type House, openHouse } from "./house.ts";
import { createHttpServer } from "./http.ts";
import type { ServerOptions } from "./options.ts";
import { createSocketHouse, type SocketHouse } from "./websocket.ts";

export interface Server extends AsyncDisposable {
  /** Where it listens, for example `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly internalUrl: string;
  /**
   * Says that it is not ready and serves on for `stopDelayMs`; then takes nothing new, sends sockets elsewhere, finishes what
   * runs (bounded) and closes everything. May be called twice.
   */
  close(): Promise<void>;
}

/** How long clients get to move their sockets to another server by themselves. */
const socketGraceMs = 2_000;

/** Rejects when the database does not answer or a port is taken. */
export async function startServer(options: ServerOptions): Promise<Server> {
  await using opening = new AsyncDisposableStack();
  const house = opening.use(await openHouse(options));
  const http = createHttpServer(house);
  const sockets = createSocketHouse(house);
  http.on("upgrade", (request, socket, head) => sockets.upgrade(request, socket, head));
  opening.defer(() => stop(http));
  const url = await listen(http, options.host, options.port);
  const internal = createInternalServer(house);
  opening.defer(() => stop(internal));
  const internalUrl = await listen(internal, options.host, options.internalPort);
  options.log.info({ url, internalUrl }, "server started");
  const resources = opening.move();

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      house.enter("leaving");
      await pause(options.stopDelayMs);
      await drain(house, http, sockets);
      await resources.disposeAsync();
      options.log.info("server stopped");
    })();
    return closing;
  };
  return { url, internalUrl, close, [Symbol.asyncDispose]: close };
}

async function drain(house: House, http: HttpServer, sockets: SocketHouse): Promise<void> {
  const endMs = performance.now() + house.limits.drainMs;
  house.enter("draining");
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  http.closeIdleConnections();
  // Ended by us and not by the feeds: a stream that ends in order tells its client not to come back.
  await sockets.drain(Math.min(performance.now() + socketGraceMs, endMs));
  const timer = setTimeout(() => http.closeAllConnections(), Math.max(0, endMs - performance.now()));
  await closed;
  clearTimeout(timer);
}

async function listen(server: HttpServer, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
}

async function stop(server: HttpServer): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
