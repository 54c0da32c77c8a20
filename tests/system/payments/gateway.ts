import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createSandboxProvider, type PaymentProvider, type PaymentRequest } from "@sewa/core";
import { type Devgateway, type DevgatewayOptions, startDevgateway } from "@sewa/devgateway";

export const never = new AbortController().signal;
export const start = new Date("2026-03-02T03:00:00Z");

/** A gateway, and core's provider that talks to it. Its clock stands until it is moved. */
export class GatewayAndProvider implements AsyncDisposable {
  readonly gateway: Devgateway;
  readonly provider: PaymentProvider;
  /** The same one, that soon gives up waiting: for calls that are not answered. */
  readonly impatient: PaymentProvider;
  readonly clock: { now: Date };

  constructor(gateway: Devgateway, clock: { now: Date }) {
    const { url, secretKey: apiKey, webhookSecrets } = gateway;
    this.gateway = gateway;
    this.provider = createSandboxProvider({ url, apiKey, webhookSecrets });
    this.impatient = createSandboxProvider({ url, apiKey, webhookSecrets, timeoutMs: 100 });
    this.clock = clock;
  }

  /** Rp 50,000 by checkout, open for an hour. */
  request(change: Partial<PaymentRequest> = {}): PaymentRequest {
    return {
      reference: "p1",
      amountMinor: 50_000n,
      currency: "IDR",
      description: "Ghost, one month",
      method: { type: "checkout" },
      savesMethod: false,
      returnUrl: "http://127.0.0.1:3000/done",
      expiresAt: new Date(start.getTime() + 3_600_000),
      ...change,
    };
  }

  pass(ms: number): void {
    this.clock.now = new Date(this.clock.now.getTime() + ms);
    this.gateway.catchUp();
  }

  /** The token of a card that was kept by a checkout of Rp 50,000 under this reference. */
  async keepCard(number: string, reference = "keep"): Promise<string> {
    await this.provider.begin(this.request({ reference, savesMethod: true }), never);
    this.gateway.pay(reference, { type: "card", number });
    const paid = await this.provider.lookUp(reference, never);
    return paid?.method?.methodReference ?? "";
  }

  /** What the gateway owes us, in its own units. */
  merchant(currency: string): bigint {
    const { balances } = this.gateway.ledger();
    return balances.find((entry) => entry.account === "merchant" && entry.currency === currency)?.amount ?? 0n;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.stop();
  }
}

export async function startGateway(options: DevgatewayOptions = {}): Promise<GatewayAndProvider> {
  const clock = { now: start };
  return new GatewayAndProvider(await startDevgateway({ clock: () => clock.now, ...options }), clock);
}

export interface Received extends AsyncDisposable {
  readonly url: string;
  readonly webhooks: readonly { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[];
}

/** Takes every webhook as it comes, unread. */
export async function startReceiver(): Promise<Received> {
  const webhooks: { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      webhooks.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    webhooks,
    async [Symbol.asyncDispose](): Promise<void> {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
