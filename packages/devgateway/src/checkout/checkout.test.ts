import { expect, test } from "vitest";
import { cards } from "../payments/cards.ts";
import { type TestGateway, testGateway } from "../testing/gateway.ts";

async function open(test: TestGateway, order: object = {}): Promise<string> {
  return (await test.pay(order)).body["checkout_url"] ?? "";
}

/** What a browser does with the page: it reads its forms and sends one of them. */
async function press(url: string, button: string, changes: Record<string, string> = {}): Promise<Response> {
  const page = await (await fetch(url)).text();
  const form =
    [...page.matchAll(/<form .*?<\/form>/gs)].map(([text]) => text).find((text) => text.includes(button)) ?? "";
  const action = /action="([^"]*)"/.exec(form)?.[1] ?? "";
  const method = /name="method" value="([^"]*)"/.exec(form)?.[1] ?? "";
  const keep: Record<string, string> = / checked>/.test(form) ? { keep: "yes" } : {};
  const body = new URLSearchParams({ method, ...keep, ...changes });
  return fetch(new URL(action, url), { method: "POST", body, redirect: "manual" });
}

test.each([
  ["Pay by card", { number: cards.succeeds.number }, "succeeded"],
  ["Pay by card", { number: cards.delayed.number }, "processing"],
  ["I have transferred it", {}, "succeeded"],
  ["I have scanned and paid it", {}, "succeeded"],
])("a customer who presses %j with %j is sent back to the shop, and it is %s", async (button, changes, state) => {
  await using test = await testGateway();
  const url = await open(test);
  const done = await press(url, button, changes);
  expect([done.status, done.headers.get("location")]).toEqual([303, "http://127.0.0.1:3000/done?order=1"]);
  expect((await test.get("p1")).body["state"]).toBe(state);
  // Pressed twice.
  expect((await press(url, button, changes)).status).not.toBe(303);
  expect(test.merchant()).toBe(state === "succeeded" ? 5_000_000n : 0n);
});

test("a page says what is paid, how much, and what became of it", async () => {
  await using test = await testGateway();
  const url = await open(test);
  const read = async (): Promise<string> => (await fetch(url)).text();
  expect(await read()).toMatch(/IDR 50000\.00.*Ghost, one month/s);
  const declined = await press(url, "Pay by card", { number: cards.insufficientFunds.number });
  expect(declined.headers.get("location")).toBe(new URL(url).pathname);
  expect(await read()).toContain("not enough money on this card");
  await test.call("POST", "/v1/payments/p1/cancel");
  expect(await read()).toContain("This was cancelled.");
  expect(await read()).not.toContain("<button>");
  const other = await open(test, { reference: "p2", currency: "KWD", amount: "12345" });
  expect(await (await fetch(other)).text()).toContain("KWD 12.345");
  test.pass(3_600_000);
  expect(await (await fetch(other)).text()).toContain("The time to pay this is over.");
});

test("a form that is sent when it is too late is no payment", async () => {
  await using test = await testGateway();
  const url = await open(test);
  test.clock.now = new Date(test.clock.now.getTime() + 3_600_000);
  const late = await fetch(`${url}/pay`, {
    method: "POST",
    body: new URLSearchParams({ method: "qris" }),
    redirect: "manual",
  });
  expect([late.status, late.headers.get("location")]).toEqual([303, new URL(url).pathname]);
  expect(test.merchant()).toBe(0n);
});

test("the box is ticked when the shop asked to keep the card", async () => {
  await using test = await testGateway();
  for (const save of [true, false]) {
    const url = await open(test, { reference: `p-${save}`, save_method: save });
    await press(url, "Pay by card", { number: cards.succeeds.number });
  }
  expect(test.gateway.payments().map(({ saved_method: kept }) => kept?.label ?? null)).toEqual(["Visa 4242", null]);
});

test("text of others is text on the page, and the page lets nothing else in", async () => {
  await using test = await testGateway();
  const url = await open(test, {
    description: `<script>alert("1")</script>'`,
    return_url: `http://127.0.0.1:3000/"><b>?a=1&b='`,
  });
  const answer = await fetch(url);
  const page = await answer.text();
  expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;");
  expect(page).not.toMatch(/<script|<b>/);
  expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(answer.headers.get("content-security-policy")).toContain("form-action 'self' http://127.0.0.1:3000;");
  expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
});

test("who does not know the address finds nothing, and what is no payment is refused", async () => {
  await using test = await testGateway();
  const url = await open(test);
  expect((await fetch(`${test.gateway.url}/checkout/p1`)).status).toBe(404);
  expect((await fetch(`${test.gateway.url}/checkout/`)).status).toBe(404);
  expect((await fetch(`${url}/pay`)).status).toBe(405);
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
  const send = async (fields: Record<string, string>): Promise<number> =>
    (await fetch(`${url}/pay`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" })).status;
  expect([await send({}), await send({ method: "card", number: "1234" })]).toEqual([400, 422]);
  expect((await test.get("p1")).body["state"]).toBe("pending");
});
