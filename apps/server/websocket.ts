import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { appRouter, type Caller } from "@sewa/api";
import { getTRPCErrorFromUnknown, TRPCError } from "@trpc/server";
import { getWSConnectionHandler } from "@trpc/server/adapters/ws";
import { type WebSocket, WebSocketServer } from "ws";
import { type CallerSource, createCallerSource } from "./callers.ts";
import { addressOf, pathOf, requestIdOf, userAgentOf } from "./client.ts";
import { type Connection, createConnectionContext } from "./connection.ts";
import { readCredentials, readOrganization, sessionCookieName } from "./credentials.ts";
import type { House } from "./house.ts";
import { contractPath, logFailure } from "./http.ts";
import { createSlots } from "./limits.ts";
import { boundBuffer, flushed } from "./socket-buffer.ts";
import { closeSocket, terminateMs } from "./socket-closing.ts";
import { countingEncoder } from "./socket-encoder.ts";
import { watchSession } from "./socket-session.ts";

export interface SocketHouse {
  /** Takes over an HTTP connection that asks for a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells clients to go elsewhere, waits for them until `byMs` on the monotonic clock, then closes what is left. */
  drain(byMs: number): Promise<void>;
}

const pingMs = 30_000;
const pongWaitMs = 5_000;
const drainPollMs = 50;

export function createSocketHouse(house: House): SocketHouse {
  const { limits } = house;
  const server = new WebSocketServer({ noServer: true, maxPayload: limits.frameBytes, perMessageDeflate: false });
  const takeAddress = createSlots(limits.socketsPerAddress);
  const takeSession = createSlots(limits.socketsPerSession);
  return {
    upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      const { origin } = request.headers;
      if (pathOf(request) !== contractPath) return reject(socket, 404, "Not Found");
      if (origin !== undefined && !house.origins.has(origin)) return reject(socket, 403, "Forbidden");
      if (house.stage === "draining") return reject(socket, 503, "Service Unavailable");
      const giveBack = takeAddress(addressOf(request, house.trustedProxies) ?? "unknown");
      if (giveBack === null) return reject(socket, 429, "Too Many Requests");
      socket.once("close", giveBack);
      server.handleUpgrade(request, socket, head, (client) => serve(house, server, client, request, takeSession));
    },
    async drain(byMs) {
      for (const client of server.clients) client.send(JSON.stringify({ id: null, method: "reconnect" }));
      while (server.clients.size > 0 && performance.now() < byMs) await pause(drainPollMs);
      for (const client of server.clients) closeSocket(house, client, "restart");
      const endMs = performance.now() + terminateMs;
      while (server.clients.size > 0 && performance.now() < endMs) await pause(drainPollMs);
      for (const client of server.clients) client.terminate();
    },
  };
}

function serve(
  house: House,
  server: WebSocketServer,
  client: WebSocket,
  request: IncomingMessage,
  takeSession: ReturnType<typeof createSlots>,
): void {
  const { limits } = house;
  const requestId = requestIdOf(request);
  const ended = new AbortController();
  const leaving: (() => void)[] = [];
  house.metrics.sockets.inc();
  client.once("close", () => {
    house.metrics.sockets.dec();
    ended.abort();
    for (const leave of leaving) leave();
  });
  boundBuffer(client, limits.bufferedBytes, () => closeSocket(house, client, "slow"));
  const deadline = setTimeout(() => closeSocket(house, client, "silent"), limits.connectionParamsMs);
  leaving.push(() => clearTimeout(deadline));

  const admit = async (parameters: Readonly<Record<string, string | undefined>> | null): Promise<Connection> => {
    clearTimeout(deadline);
    const connection = createSocketConnection(house, client, request, requestId, parameters);
    const caller = await greet(connection);
    if (caller !== null) {
      const giveBack = takeSession(caller.sessionId);
      if (giveBack === null) throw new TRPCError({ code: "TOO_MANY_REQUESTS" });
      leaving.push(giveBack);
      if (client.readyState !== client.OPEN) giveBack();
      const watching = {
        hub: house.hub,
        caller,
        callers: connection.callers,
        signal: ended.signal,
      };
      if (caller.impersonation !== null) {
        const leftMs = caller.impersonation.endsAt.getTime() - house.core.clock.now().getTime();
        const over = setTimeout(() => closeSocket(house, client, "sessionEnded"), leftMs);
        leaving.push(() => clearTimeout(over));
      }
      void watchSession({ ...watching, onEnded: (why) => closeSocket(house, client, why) });
    }
    return connection;
  };
  const handle = getWSConnectionHandler({
    wss: server,
    router: appRouter,
    maxBatchSize: limits.batchCalls,
    keepAlive: { enabled: true, pingMs, pongWaitMs },
    experimental_encoder: countingEncoder(limits.badFrames, () => closeSocket(house, client, "badFrames")),
    createContext: async ({ info }) => createConnectionContext(house, await admit(info.connectionParams)),
    onError: ({ error, path, type }) => logFailure(house, error, { requestId, procedure: path, type }),
  });
  handle(client, request);
}

/** Who shows a token or a ticket wants to be somebody; a cookie may be left over from a session that has ended. */
async function greet({ credentials, callers }: Connection): Promise<Caller | null> {
  const caller = await callers.get().catch((error: unknown) => {
    throw getTRPCErrorFromUnknown(error);
  });
  if (caller === null && credentials !== null && credentials.from !== "cookie")
    throw new TRPCError({ code: "UNAUTHORIZED" });
  return caller;
}

function createSocketConnection(
  house: House,
  client: WebSocket,
  request: IncomingMessage,
  requestId: string,
  parameters: Readonly<Record<string, string | undefined>> | null,
): Connection {
  const credentials = readCredentials(request, sessionCookieName(house.isSecure), parameters);
  const address = addressOf(request, house.trustedProxies);
  const takeStream = createSlots(house.limits.subscriptionsPerSocket);
  const callers: CallerSource = createCallerSource(house.core, credentials, {
    maxAgeMs: house.limits.callerMaxAgeMs,
    organizationId: readOrganization(request, parameters),
    address,
  });
  return {
    requestId,
    address,
    userAgent: userAgentOf(request),
    credentials,
    callers,
    cookies: { set: () => undefined, clear: () => undefined },
    takeStream: () => takeStream(requestId),
    flushed: () => flushed(client, house.limits.bufferedBytes / 4),
  };
}

function reject(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
