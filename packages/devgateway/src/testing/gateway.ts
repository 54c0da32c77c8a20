import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Devgateway, type DevgatewayOptions, startDevgateway } from "../devgateway.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers freely; what is not there shows as a failed expectation.
  readonly body: Record<string, string | null> & { readonly error: { readonly code: string } };
}

/** A gateway whose clock stands until it is moved, with a client for it. Everything ends with the test that opened it. */
export class TestGateway implements AsyncDisposable {
  readonly gateway: Devgateway;
  readonly clock: { now: Date };

  constructor(gateway: Devgateway, clock: { now: Date }) {
    this.gateway = gateway;
    this.clock = clock;
  }

  async call(method: string, path: string, body?: unknown, key = this.gateway.secretKey): Promise<Answer> {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const response = await fetch(`${this.gateway.url}${path}`, { method, headers, ...content });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer["body"] };
  }

  pay(order: object = {}): Promise<Answer> {
    return this.call("POST", "/v1/payments", this.order(order));
  }

  refund(order: object): Promise<Answer> {
    return this.call("POST", "/v1/refunds", { reference: "r1", payment_reference: "p1", currency: "IDR", ...order });
  }

  get(reference: string): Promise<Answer> {
    return this.call("GET", `/v1/payments/${reference}`);
  }

  /** A payment of Rp 50,000 by checkout, open for an hour. */
  order(change: object = {}): object {
    return {
      reference: "p1",
      amount: "5000000",
      currency: "IDR",
      description: "Ghost, one month",
      method: { type: "checkout" },
      save_method: false,
      return_url: "http://127.0.0.1:3000/done?order=1",
      expires_at: new Date(this.clock.now.getTime() + 3_600_000).toISOString(),
      ...change,
    };
  }

  /** Moves the clock and lets happen what is due then. */
  pass(ms: number): void {
    this.clock.now = new Date(this.clock.now.getTime() + ms);
    this.gateway.catchUp();
  }

  /** What the gateway owes its client, and whether every transaction sums to zero. */
  merchant(currency = "IDR"): bigint {
    const { transactions, balances } = this.gateway.ledger();
    for (const { entries } of transactions) {
      const sum = entries.reduce((total, { amount }) => total + amount, 0n);
      if (sum !== 0n) throw new Error(`a transaction sums to ${sum}`);
    }
    return balances.find((entry) => entry.account === "merchant" && entry.currency === currency)?.amount ?? 0n;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.stop();
  }
}

export async function testGateway(options: DevgatewayOptions = {}): Promise<TestGateway> {
  const clock = { now: new Date("2026-03-02T03:00:00Z") };
  return new TestGateway(await startDevgateway({ clock: () => clock.now, ...options }), clock);
}

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: { readonly id: string; readonly type: string; readonly data: Record<string, string> };
}

/** A client's webhook address: keeps what comes and answers with `statuses`, one after the other, then 200. */
export class TestReceiver implements AsyncDisposable {
  readonly url: string;
  readonly received: ReceivedWebhook[] = [];
  readonly statuses: number[] = [];
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        this.received.push({ headers: request.headers, body, event: JSON.parse(body) as ReceivedWebhook["event"] });
        response.writeHead(this.statuses.shift() ?? 200).end();
      });
    });
  }

  types(): string[] {
    return this.received.map(({ event }) => event.type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

export async function testReceiver(): Promise<TestReceiver> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new TestReceiver(server);
}
