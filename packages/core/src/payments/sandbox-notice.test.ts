import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { NoticeRefused } from "./provider.ts";
import { readSandboxNotice } from "./sandbox-notice.ts";

const now = new Date("2026-03-02T03:00:00Z");
const seconds = now.getTime() / 1_000;
const event = {
  id: "evt_1",
  type: "payment.succeeded",
  data: { object: "payment", reference: "p1", state: "succeeded" },
};

function hmac(secret: string, text: string | Buffer, at: number | string = seconds): string {
  return createHmac("sha256", secret).update(`${at}.`).update(text).digest("hex");
}

function read(body: string | Buffer, signature: string | undefined, secrets = ["one"]) {
  return readSandboxNotice(secrets, Buffer.from(body), { "sandbox-signature": signature }, now);
}

const body = JSON.stringify(event);
const signature = `t=${seconds},v1=${hmac("one", body)}`;

test("a notice that is signed says which event it is and what it is about", () => {
  expect(read(body, signature)).toEqual({
    eventId: "evt_1",
    type: "payment.succeeded",
    subject: { type: "payment", reference: "p1" },
  });
});

test("while secrets change hands, one of several fits one of several", () => {
  const both = `t=${seconds},v1=${hmac("two", body)},v1=${hmac("one", body)}`;
  for (const secrets of [["one"], ["two"], ["three", "two"], ["one", "two"]]) {
    expect(read(body, both, secrets).eventId).toBe("evt_1");
  }
  expect(() => read(body, both, ["three"])).toThrow(NoticeRefused);
});

test.each<readonly [string, string | undefined]>([
  ["none", undefined],
  ["an empty one", ""],
  ["no time", `v1=${hmac("one", body)}`],
  ["no signature", `t=${seconds}`],
  ["a signature cut short", signature.slice(0, -2)],
  ["one too long", `${signature}00`],
  ["capitals", signature.toUpperCase()],
  ["an older scheme", `t=${seconds},v0=${hmac("one", body)}`],
  ["two times", `t=${seconds},${signature}`],
  ["a later time than was signed", `t=${seconds + 1},v1=${hmac("one", body)}`],
  ["a time that is no number", `t=now,v1=${hmac("one", body, "now")}`],
  ["a time with a sign", `t=+${seconds},v1=${hmac("one", body, `+${seconds}`)}`],
  ["another secret", `t=${seconds},v1=${hmac("two", body)}`],
  ["more signatures than anybody needs", `t=${seconds}${`,v1=${hmac("one", body)}`.repeat(6)}`],
])("a notice with %s as signature is refused", (_, forged) => {
  expect(() => read(body, forged)).toThrow(NoticeRefused);
});

test("it is the bytes that are signed: the same JSON in other bytes is refused", () => {
  for (const other of [`${body} `, JSON.stringify(event, null, 1), body.replace("p1", "\\u00701"), `\ufeff${body}`]) {
    expect(() => read(other, signature)).toThrow(NoticeRefused);
  }
});

test("five minutes off are tolerated in both directions, a second more is not", () => {
  const readAt = (at: number) => read(body, `t=${at},v1=${hmac("one", body, at)}`);
  for (const at of [seconds - 300, seconds + 300]) expect(readAt(at).eventId).toBe("evt_1");
  for (const at of [seconds - 301, seconds + 301, 0, 999_999_999_999]) expect(() => readAt(at)).toThrow(NoticeRefused);
});

test.each<readonly [string, string | Buffer]>([
  ["no JSON", "{"],
  ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
  ["nothing", ""],
  ["null", "null"],
  ["no id", JSON.stringify({ ...event, id: undefined })],
  ["an id that is no word", JSON.stringify({ ...event, id: "a b" })],
  ["an endless id", JSON.stringify({ ...event, id: "e".repeat(101) })],
  ["no type", JSON.stringify({ ...event, type: 1 })],
])("a notice that is signed and holds %s is refused", (_, text) => {
  expect(() => read(text, `t=${seconds},v1=${hmac("one", text)}`)).toThrow(NoticeRefused);
});

test.each([
  { object: "gateway" },
  { object: "payment" },
  { object: "payment", reference: 7 },
  { object: "customer", reference: "c1" },
  undefined,
])("news about %j are news about nothing of ours", (data) => {
  const text = JSON.stringify({ ...event, data });
  expect(read(text, `t=${seconds},v1=${hmac("one", text)}`)).toMatchObject({ eventId: "evt_1", subject: null });
});
