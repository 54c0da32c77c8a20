import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { instance } from "./definitions.ts";

/** What a stand-in for an app knows, and how it misbehaves. */
export interface AppState {
  owner: { readonly name: string; readonly password: string } | null;
  /** Accepts whoever sets it up, again and again. */
  open?: boolean;
  /** Does the work and hangs up before it answers, once. */
  losesAnswer?: boolean;
  /** After the right password it wants a code too. */
  asksForCode?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AppRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** How one app answers; `take` makes somebody the owner as far as the state allows, and says whether it did. */
export type App = (request: AppRequest, state: AppState, take: (name: string, password: string) => boolean) => Answer;

/** A server on a free port of loopback that behaves like an app that nobody owns yet. */
export async function startApp(app: App, state: AppState): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    void (async () => {
      const { method = "", url: path = "", headers } = request;
      const body = await text(request);
      let isLost = false;
      const take = (name: string, password: string): boolean => {
        if (state.owner !== null && state.open !== true) return false;
        state.owner = { name, password };
        isLost = state.losesAnswer === true;
        return true;
      };
      // Apps send whoever does not come as the ingress controller does to their own address.
      const isProxied = headers.host === instance.host && headers["x-forwarded-proto"] === "https";
      const answer = isProxied ? app({ method, path, body, headers }, state, take) : { status: 301 };
      if (isLost) {
        state.losesAnswer = false;
        response.destroy();
        return;
      }
      response.writeHead(answer.status, answer.headers);
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? ""));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
