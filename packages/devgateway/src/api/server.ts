import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serveCheckout } from "../checkout/serve.ts";
import type { AnswerSwitches, FaultyAnswer } from "../faults/answers.ts";
import type { Agenda } from "../payments/agenda.ts";
import type { Gateway } from "../payments/gateway.ts";
import { Refusal } from "../payments/refusal.ts";
import { type Answer, errorAnswer, readBody, send } from "./http.ts";
import { type Asked, operate, readAsked } from "./operations.ts";

export type Log = (line: string, fields: Record<string, unknown>) => void;

interface ServerParts {
  readonly gateway: Gateway;
  readonly agenda: Agenda;
  readonly switches: AnswerSwitches;
  readonly secretKeys: readonly string[];
  /** 0 for one that is free. */
  readonly port: number;
  readonly log: Log;
}

export interface GatewayServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves API and checkout pages on loopback. The API wants one of the secret keys; a checkout page its own unguessable address. */
export async function startServer(parts: ServerParts): Promise<GatewayServer> {
  const { gateway, agenda, switches, secretKeys, port, log } = parts;
  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => {
      log("request failed", { path: request.url, error: String(error) });
      response.destroy();
    });
  });
  await listen(server, port);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    agenda.catchUp();
    const path = URL.parse(request.url ?? "/", url)?.pathname ?? "/";
    if (path.startsWith("/checkout/")) {
      send(response, await answered(() => serveCheckout(gateway, request, path)));
      return;
    }
    const body = await answered(() => readBody(request));
    if (typeof body !== "string") return send(response, body);
    const asked = await answered(() => readRequest(request, path));
    if ("status" in asked) return send(response, asked);
    const how = switches.next(asked.operation);
    if (how === null) send(response, await perform(asked, body));
    else await answerOtherwise({ response, asked, body, how });
  }

  function readRequest(request: IncomingMessage, path: string): Asked | Answer {
    if (path === "/healthz") return { status: 200, body: {} };
    if (!isAuthentic(request, secretKeys)) throw new Refusal(401, "key_wrong", "One of the secret keys is wanted.");
    const asked = readAsked(request.method ?? "", path);
    if (asked === null) throw new Refusal(404, "page_unknown", "There is nothing at this address.");
    return asked;
  }

  function perform(asked: Asked, body: string): Promise<Answer> {
    return answered(() => {
      agenda.catchUp();
      return operate(gateway, url, asked, body);
    });
  }

  async function answerOtherwise(request: {
    readonly response: ServerResponse;
    readonly asked: Asked;
    readonly body: string;
    readonly how: FaultyAnswer;
  }): Promise<void> {
    const { response, asked, body, how } = request;
    if (how === "cut" || how === "silent") {
      if (how === "cut") response.socket?.resetAndDestroy();
      return;
    }
    if (typeof how === "object" && "delayMs" in how) {
      await sleep(how.delayMs, undefined, { ref: false });
      return send(response, await perform(asked, body));
    }
    const isDone = typeof how === "string" || how.isDone === true;
    // Nobody learns whether it was done or refused.
    if (isDone) await perform(asked, body);
    if (how === "lost") response.socket?.resetAndDestroy();
    else if (how === "garbled") send(response, { status: 200, body: "<html><body>Please wait …</body></html>" });
    else if (typeof how === "object") send(response, faultAnswer(how));
  }

  /** What the work answers, or why it was refused. */
  async function answered<T>(work: () => T | Promise<T>): Promise<T | Answer> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal) return errorAnswer(error.status, error.code, error.message);
      log("request failed", { error: String(error), stack: (error as Error).stack });
      return errorAnswer(500, "internal", "Something is broken here.");
    }
  }

  return {
    url,
    async close(): Promise<void> {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function faultAnswer(how: { readonly status: number; readonly retryAfterSeconds?: number }): Answer {
  const answer = errorAnswer(how.status, faultCodes[how.status] ?? "unavailable", "The gateway cannot do this now.");
  const isLater = how.status === 429 || how.status === 503;
  return isLater ? { ...answer, headers: { "retry-after": String(how.retryAfterSeconds ?? 1) } } : answer;
}

const faultCodes: Readonly<Record<number, string>> = {
  400: "invalid_request",
  401: "key_wrong",
  403: "forbidden",
  404: "page_unknown",
  408: "too_slow",
  422: "refused",
  429: "too_many_requests",
};

/** Digests are compared, so that neither content nor length of a key can be measured. */
function isAuthentic(request: IncomingMessage, secretKeys: readonly string[]): boolean {
  const given = digest(request.headers.authorization ?? "");
  return secretKeys.filter((key) => timingSafeEqual(given, digest(`Bearer ${key}`))).length > 0;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}
