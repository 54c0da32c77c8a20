import { request as forward } from "node:http";
import { startHttpServer, type HttpServer } from "./http-server.ts";

/** Stands before an API server and shows each request to `see` on its way. */
export function startForwarder(
  server: { readonly url: string; readonly kubeconfig: string },
  see: (method: string, url: URL) => void,
): Promise<HttpServer> {
  const token = /token: "(.*)"/u.exec(server.kubeconfig)?.[1] ?? "";
  return startHttpServer((request, response) => {
    const url = new URL(request.url, server.url);
    see(request.method ?? "", url);
    const headers = { ...request.headers, host: url.host, authorization: `Bearer ${token}` };
    const onward = forward(url, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      // A watch on which nothing happens has begun nevertheless.
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
}
