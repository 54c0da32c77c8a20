import type { Payment } from "../payments/payment.ts";
import { type Change, randomId } from "../payments/store.ts";

/** A piece of news. It is signed anew at each attempt; id and body stay. */
export interface GatewayEvent {
  readonly id: string;
  readonly type: string;
  readonly body: string;
}

export function changeEvent(change: Change, atMs: number): GatewayEvent {
  if (change.type === "payment") return paymentEvent(change.payment, paymentWord(change.payment), atMs);
  const { id, order, state } = change.refund;
  return event(`refund.${state}`, { object: "refund", id, reference: order.reference, state }, atMs);
}

export function paymentEvent({ id, order }: Payment, state: string, atMs: number): GatewayEvent {
  return event(`payment.${state}`, { object: "payment", id, reference: order.reference, state }, atMs);
}

/** News that are about nothing that the client asked for. */
export function otherEvent(type: string, atMs: number): GatewayEvent {
  return event(type, { object: "gateway" }, atMs);
}

/** A customer who was declined may try again: that is no state, but it is news. */
function paymentWord({ state, declines }: Payment): string {
  return state === "pending" && declines > 0 ? "declined" : state;
}

function event(type: string, data: object, atMs: number): GatewayEvent {
  const id = randomId("evt");
  return { id, type, body: JSON.stringify({ id, type, created_at: new Date(atMs).toISOString(), data }) };
}
