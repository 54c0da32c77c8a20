import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type PaymentProvider, type PaymentRequest, ProviderRefused, ProviderUnavailable } from "./provider.ts";
import { createSandboxProvider } from "./sandbox-provider.ts";

// A gateway that works is met in tests/system/payments; here is one that does not, or something that stands in between.

const never = new AbortController().signal;
const request: PaymentRequest = {
  reference: "p1",
  amountMinor: 50_000n,
  currency: "IDR",
  description: "Ghost, one month",
  method: { type: "checkout" },
  savesMethod: false,
  returnUrl: "http://127.0.0.1:3000/done",
  expiresAt: new Date("2026-03-02T03:00:00Z"),
};
const payment = {
  id: "pay_1",
  reference: "p1",
  state: "succeeded",
  amount: "5000000",
  currency: "IDR",
  received: { amount: "5000000", currency: "IDR" },
  failure: null,
  checkout_url: null,
  saved_method: null,
  succeeded_at: "2026-03-02T02:00:00.000Z",
};

const moneyOf = (amount: string, currency: string) => ({ amount, currency, received: { amount, currency } });

interface Gateway {
  readonly provider: PaymentProvider;
  readonly asked: IncomingMessage[];
}

async function gatewayThat(answer: (response: ServerResponse) => void, timeoutMs = 5_000): Promise<Gateway> {
  const asked: IncomingMessage[] = [];
  const server = createServer((incoming, response) => {
    asked.push(incoming);
    incoming.resume();
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { provider: createSandboxProvider({ url, apiKey: "sk_1", webhookSecrets: ["whsec_1"], timeoutMs }), asked };
}

function answering(status: number, body: unknown, headers = {}): (response: ServerResponse) => void {
  return (response) => response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
}

const error = (code: string) => ({ error: { code, message: "No." } });

/** What each of the calls ends with. */
async function outcomes({ provider }: Gateway): Promise<string[]> {
  const refund = { reference: "p1", paymentReference: "p0", amountMinor: 1n, currency: "IDR" };
  const calls = [
    () => provider.begin(request, never),
    () => provider.refund(refund, never),
    () => provider.cancel("p1", never),
    () => provider.lookUp("p1", never),
    () => provider.lookUpRefund("p1", never),
  ];
  const ends: string[] = [];
  for (const call of calls) {
    ends.push(
      await call().then(
        (value) => (value === null ? "unknown" : "answered"),
        (reason: Error) => reason.name,
      ),
    );
  }
  return ends;
}
const everywhere = (word: string): string[] => Array<string>(5).fill(word);

test("a payment is asked for with the key, as JSON, under the path of the gateway", async () => {
  const gateway = await gatewayThat(answering(201, payment));
  expect(await gateway.provider.begin(request, never)).toEqual({
    reference: "p1",
    providerReference: "pay_1",
    state: "succeeded",
    amountMinor: 50_000n,
    currency: "IDR",
    failure: null,
    checkoutUrl: null,
    method: null,
    succeededAt: new Date("2026-03-02T02:00:00Z"),
  });
  expect(gateway.asked[0]).toMatchObject({ method: "POST", url: "/v1/payments" });
  expect(gateway.asked[0]?.headers).toMatchObject({
    authorization: "Bearer sk_1",
    "content-type": "application/json",
  });
  await expect(gateway.provider.lookUp("p1/../../x?y", never)).rejects.toThrow("another reference");
  expect(gateway.asked[1]?.url).toBe("/v1/payments/p1%2F..%2F..%2Fx%3Fy");
});

test.each([400, 402, 404, 410, 422])(
  "a %i in the gateway's words is a no to what is asked for, and no answer to a question",
  async (status) => {
    expect(await outcomes(await gatewayThat(answering(status, error("refused"))))).toEqual([
      "ProviderRefused",
      "ProviderRefused",
      "ProviderRefused",
      "ProviderUnavailable",
      "ProviderUnavailable",
    ]);
  },
);

test.each([401, 403, 408, 409, 425, 429, 500, 502, 503, 504])(
  "a %i says nothing about what was done",
  async (status) => {
    const gateway = await gatewayThat(answering(status, error("later")));
    expect(await outcomes(gateway)).toEqual(everywhere("ProviderUnavailable"));
    // And nothing was asked for a second time.
    expect(gateway.asked).toHaveLength(5);
  },
);

test.each<readonly [string, number, unknown]>([
  ["a page with 200", 200, "<html></html>"],
  ["nothing with 200", 200, ""],
  ["nothing with 204", 204, ""],
  ["a page with 404", 404, "404 page not found"],
  ["JSON of somebody else with 404", 404, { message: "no such route" }],
  ["JSON of somebody else with 422", 422, { error: "no" }],
  ["another payment", 200, { ...payment, reference: "p2" }],
  ["a state that nobody knows", 200, { ...payment, state: "paid" }],
  ["an amount that is a number", 200, { ...payment, amount: 5_000_000 }],
  ["an amount with a fraction", 200, { ...payment, ...moneyOf("5000000.5", "IDR") }],
  ["sen that we do not count", 200, { ...payment, ...moneyOf("5000050", "IDR") }],
  ["a currency that nobody knows", 200, { ...payment, ...moneyOf("5000000", "XAU") }],
  ["more than anybody reads", 200, { ...payment, padding: "x".repeat(100_000) }],
])("%s is no answer", async (_, status, body) => {
  expect(await outcomes(await gatewayThat(answering(status, body)))).toEqual(everywhere("ProviderUnavailable"));
});

test("what came counts and not what was asked for, and a page to pay on is a page", async () => {
  const usd = await gatewayThat(answering(200, { ...payment, received: { amount: "300", currency: "USD" } }));
  expect(await usd.provider.lookUp("p1", never)).toMatchObject({ amountMinor: 300n, currency: "USD" });
  const script = await gatewayThat(answering(200, { ...payment, checkout_url: "javascript:alert(1)" }));
  await expect(script.provider.begin(request, never)).rejects.toThrow(ProviderUnavailable);
});

test("only the gateway's own word says that it never heard of something, and each kind has its own", async () => {
  expect((await outcomes(await gatewayThat(answering(404, error("payment_unknown"))))).slice(2)).toEqual([
    "unknown",
    "unknown",
    "ProviderUnavailable",
  ]);
  expect((await outcomes(await gatewayThat(answering(404, error("refund_unknown"))))).slice(2)).toEqual([
    "ProviderRefused",
    "ProviderUnavailable",
    "unknown",
  ]);
});

test("no redirect is followed, so the key goes nowhere else", async () => {
  const other = await gatewayThat(answering(201, payment));
  const { provider: elsewhere } = other;
  await elsewhere.lookUp("p1", never);
  const location = `http://${other.asked[0]?.headers.host ?? ""}/v1/payments`;
  for (const status of [301, 302, 303, 307, 308]) {
    expect(await outcomes(await gatewayThat(answering(status, "", { location })))).toEqual(
      everywhere("ProviderUnavailable"),
    );
  }
  expect(other.asked).toHaveLength(1);
});

test("a gateway that says nothing, or begins and never ends, is given up after a while", async () => {
  const silent = await gatewayThat(() => undefined, 50);
  expect(await outcomes(silent)).toEqual(everywhere("ProviderUnavailable"));
  const dripping = await gatewayThat((response) => response.writeHead(200).write("{"), 50);
  expect(await outcomes(dripping)).toEqual(everywhere("ProviderUnavailable"));
});

test("a reset, a refused connection and a caller who leaves leave it open what was done", async () => {
  const resetting = await gatewayThat((response) => response.socket?.resetAndDestroy());
  expect(await outcomes(resetting)).toEqual(everywhere("ProviderUnavailable"));
  const nobody = createSandboxProvider({ url: "http://127.0.0.1:1", apiKey: "sk_1", webhookSecrets: ["whsec_1"] });
  expect(await outcomes({ provider: nobody, asked: [] })).toEqual(everywhere("ProviderUnavailable"));
  const leaving = new AbortController();
  const silent = await gatewayThat(() => leaving.abort());
  await expect(silent.provider.begin(request, leaving.signal)).rejects.toThrow(ProviderUnavailable);
});

test("what cannot be said exactly is refused before anything is sent", async () => {
  const gateway = await gatewayThat(answering(201, payment));
  await expect(gateway.provider.begin({ ...request, currency: "KWD" }, never)).rejects.toThrow(ProviderRefused);
  expect(gateway.asked).toEqual([]);
});

test("no message tells the key or what the gateway sent", async () => {
  const gateway = await gatewayThat(answering(500, { error: { code: "broken", message: "card 4242424242424242" } }));
  const failure = await gateway.provider.begin(request, never).catch((reason: unknown) => reason);
  expect(String(failure)).toBe("ProviderUnavailable: The gateway answered 500 broken.");
});

test("a provider without a usable secret or address is not made", () => {
  const options = { url: "http://127.0.0.1:1", apiKey: "sk_1", webhookSecrets: ["whsec_1"] };
  expect(() => createSandboxProvider({ ...options, webhookSecrets: [] })).toThrow("webhook secret");
  expect(() => createSandboxProvider({ ...options, webhookSecrets: ["whsec_1", ""] })).toThrow("webhook secret");
  expect(() => createSandboxProvider({ ...options, url: "gateway" })).toThrow("address");
});
