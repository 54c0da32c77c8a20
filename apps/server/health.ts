import { createServer, type Server } from "node:http";
import { sendJson } from "./answers.ts";
import { pathOf } from "./client.ts";
import type { House } from "./house.ts";

const pingMs = 2_000;

/** Whether requests should be sent here: the database answers in time, and nobody has told us to stop. */
export async function isReady(house: House): Promise<boolean> {
  if (house.stage !== "serving") return false;
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), pingMs);
  const ping = house.database.ping().then(
    () => true,
    () => false,
  );
  const ready = await Promise.race([ping, late.promise]);
  clearTimeout(timer);
  return ready && house.stage === "serving";
}

/** Metrics and health on a port that stays inside the house. */
export function createInternalServer(house: House): Server {
  return createServer((request, response) => {
    const isRead = request.method === "GET" || request.method === "HEAD";
    switch (isRead ? (pathOf(request) ?? "") : "") {
      case "/healthz":
        return sendJson(response, 200, { status: "ok" });
      case "/readyz":
        return void isReady(house).then((ready) =>
          sendJson(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready" }),
        );
      case "/metrics": {
        const { registry } = house.metrics;
        return void registry.metrics().then(
          (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
          () => sendJson(response, 500, { error: "internal error" }),
        );
      }
      default:
        return sendJson(response, 404, { error: "not found" });
    }
  });
}
