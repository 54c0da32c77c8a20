import { randomBytes } from "node:crypto";
import type { Payment } from "../payments/payment.ts";
import { type Deliveries, type DeliveryAttempt, usualShape } from "./deliveries.ts";
import { type GatewayEvent, otherEvent, paymentEvent } from "./events.ts";
import { sign } from "./signature.ts";

/** What is wrong with a webhook that the gateway never sent. Older than `stale` and further ahead than `future` is ten minutes. */
export type Forgery = "unsigned" | "malformed" | "wrongSecret" | "changedBody" | "stale" | "future";

const farMs = 600_000;

/** How news reach the client, and what goes wrong with them. */
export interface Webhooks {
  /** Every event that there was, whether it was sent or not. */
  events(): readonly GatewayEvent[];
  /** Every attempt that ended, with the receiver's status. */
  attempts(): readonly DeliveryAttempt[];
  /** Where they go from now on. Events that had nowhere to go follow. */
  deliverTo(url: string): void;
  /** Signs with all of these from now on, newest first: two, while a receiver learns the newer one. */
  setSecrets(secrets: readonly string[]): void;
  /** Each event from now on is sent so many times, in parallel. */
  duplicate(copies: number): void;
  /** Each event from now on is sent so much later. */
  delay(ms: number): void;
  /** Each event from now on is sent at a random moment within this time, so that they overtake each other. */
  reorder(windowMs: number): void;
  /** The next so many events are never sent. */
  drop(events: number): void;
  /** Keeps everything back, retries as well. */
  hold(): void;
  /** Sends what was kept back, each after the answer to the one before. Resolves when each has had its first attempt. */
  release(order?: "asSent" | "reversed" | "shuffled"): Promise<void>;
  /** Sends an event that there was once more. Resolves to the receiver's status; null for no answer. */
  resend(eventId: string): Promise<number | null>;
  /** News that are about no payment or refund, such as `settlement.created`. */
  announce(type: string): void;
  /** Claims to the receiver that this payment succeeded, by somebody who is not the gateway. Resolves to its status. */
  forge(reference: string, how: Forgery): Promise<number | null>;
  /** One of each, at once and in order, from now on. What is held stays held. */
  clear(): void;
  /** Resolves when nothing is on the way or planned. What is held does not count. */
  idle(): Promise<void>;
}

interface WebhookParts {
  readonly deliveries: Deliveries;
  readonly now: () => number;
  readonly findPayment: (reference: string) => Payment;
}

export function createWebhooks({ deliveries, now, findPayment }: WebhookParts): Webhooks {
  return {
    events: () => deliveries.events(),
    attempts: () => deliveries.attempts(),
    deliverTo: (url) => deliveries.deliverTo(checkReceiver(url)),
    setSecrets(secrets) {
      deliveries.secrets = checkSecrets(secrets);
    },
    duplicate(copies) {
      deliveries.shape = { ...deliveries.shape, copies };
    },
    delay(delayMs) {
      deliveries.shape = { ...deliveries.shape, delayMs };
    },
    reorder(windowMs) {
      deliveries.shape = { ...deliveries.shape, windowMs };
    },
    drop(dropped) {
      deliveries.shape = { ...deliveries.shape, dropped };
    },
    hold: () => deliveries.hold(),
    release: (order = "asSent") => deliveries.release(order),
    async resend(eventId) {
      const event = deliveries.events().find(({ id }) => id === eventId);
      if (event === undefined) throw new Error(`There was no event ${eventId}.`);
      return deliveries.post(event.body, sign(event.body, deliveries.secrets, now()));
    },
    announce: (type) => deliveries.publish(otherEvent(type, now())),
    async forge(reference, how) {
      const { body } = paymentEvent(findPayment(reference), "succeeded", now());
      const { sent, signature } = forge(body, how, deliveries.secrets, now());
      return deliveries.post(sent, signature);
    },
    clear() {
      deliveries.shape = usualShape;
    },
    idle: () => deliveries.idle(),
  };
}

interface Forged {
  readonly sent: string;
  readonly signature: string | null;
}

function forge(body: string, how: Forgery, secrets: readonly string[], atMs: number): Forged {
  switch (how) {
    case "unsigned":
      return { sent: body, signature: null };
    case "malformed":
      return { sent: body, signature: "t=now,v1=yes" };
    case "wrongSecret":
      return { sent: body, signature: sign(body, [randomBytes(24).toString("hex")], atMs) };
    case "changedBody":
      // One space more: the same JSON, and other bytes.
      return { sent: `${body} `, signature: sign(body, secrets, atMs) };
    case "stale":
      return { sent: body, signature: sign(body, secrets, atMs - farMs) };
    case "future":
      return { sent: body, signature: sign(body, secrets, atMs + farMs) };
  }
}

/** Sandbox money must not be announced to a house that stands elsewhere. */
export function checkReceiver(url: string): string {
  const parsed = URL.parse(url);
  const isLoopback = parsed !== null && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(parsed.hostname);
  if (!isLoopback || !/^https?:$/.test(parsed.protocol)) throw new Error(`${url} is no address on this machine`);
  return parsed.href;
}

/** Everybody can sign with an empty secret. */
export function checkSecrets(secrets: readonly string[]): readonly string[] {
  if (secrets.length === 0 || secrets.includes(""))
    throw new Error("there has to be at least one secret, and none empty");
  return [...secrets];
}
