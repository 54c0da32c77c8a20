import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { listen } from "../api/server.ts";
import type { Store } from "../store/store.ts";
import { appPage, unavailablePage, unknownPage } from "./page.ts";
import { resolveRequest } from "./resolve.ts";
import type { AppSwitches } from "./switches.ts";

export interface IngressServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Answers for the apps by the Host header: 200 with a page, 502 for one that was told not to answer, 503 without a ready
 * pod, 404 for hosts that nobody has.
 */
export async function startIngress(store: Store, switches: AppSwitches, port: number): Promise<IngressServer> {
  const server = createServer((request, response) => {
    request.resume();
    const host = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
    const { pathname } = new URL(request.url ?? "/", "http://ingress");
    const found = resolveRequest(store, host, pathname);
    const [status, body] =
      found.kind === "served"
        ? switches.isSilent(host)
          ? [502, unavailablePage(host, "the app does not answer")]
          : [200, appPage(host, found.ingress, found.service, found.pod)]
        : found.kind === "unavailable"
          ? [503, unavailablePage(host, found.why)]
          : [404, unknownPage(host)];
    response.writeHead(status, {
      "content-type": "text/html; charset=utf-8",
      "content-length": Buffer.byteLength(body),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  await listen(server, port);
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${actual}`,
    async close(): Promise<void> {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
