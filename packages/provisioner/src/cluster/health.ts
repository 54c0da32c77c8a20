import { Agent, request } from "undici";

/** Asks an app through the ingress, as a browser would, without depending on DNS. */
export interface HealthCheck extends AsyncDisposable {
  /** True when the app behind `url` answers. Never throws. */
  isHealthy(url: string, signal?: AbortSignal): Promise<boolean>;
}

const answerMs = 5_000;
const longestBody = 64 * 1024;

/** `address` is the ingress controller's `host:port`; the URL's host goes into the Host header. */
export function createHealthCheck(address: string): HealthCheck {
  const agent = new Agent({ connect: { timeout: answerMs } });
  return {
    async isHealthy(url, signal) {
      const timeout = AbortSignal.timeout(answerMs);
      try {
        const { host, pathname, search } = new URL(url);
        const response = await request(`http://${address}${pathname}${search}`, {
          dispatcher: agent,
          headers: { host, accept: "*/*", "user-agent": "sewa-health" },
          signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        });
        await response.body.dump({ limit: longestBody });
        // A refusal or a redirect comes from a living app. 404 is what an ingress says while it knows no route.
        return response.statusCode < 500 && response.statusCode !== 404;
      } catch {
        return false;
      }
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}
