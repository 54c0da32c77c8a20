import { drawing, shuffled } from "../random.ts";
import type { GatewayEvent } from "./events.ts";
import { sign, signatureHeader } from "./signature.ts";

const firstBackOffMs = 1_000;
const longestBackOffMs = 60_000;
/** At pace 0, so that a receiver that is down does not keep the processor busy. */
const leastBackOffMs = 10;
const deadlineMs = 10_000;
/** About half an hour; a real gateway goes on for days. */
const maxAttempts = 30;
const maxAtOnce = 16;
/** Attempts and events that can be looked at afterwards. */
const maxRemembered = 10_000;

export interface Delivery {
  readonly event: GatewayEvent;
  readonly attempts: number;
}

export interface DeliveryAttempt {
  readonly eventId: string;
  readonly type: string;
  /** What the receiver answered; null for nothing. */
  readonly status: number | null;
}

/** How events are sent from now on. */
export interface DeliveryShape {
  /** Of each event, sent at the same time. */
  readonly copies: number;
  /** Each begins so much later. */
  readonly delayMs: number;
  /** And at a random moment of this time after it, so that one overtakes the other. */
  readonly windowMs: number;
  /** So many events are never sent. */
  readonly dropped: number;
}

export const usualShape: DeliveryShape = { copies: 1, delayMs: 0, windowMs: 0, dropped: 0 };

interface DeliveryParts {
  readonly url: string | null;
  readonly secrets: readonly string[];
  readonly pace: number;
  readonly seed: number;
  readonly now: () => number;
}

/** Sends events until they are answered with 2xx. In no order: each on its own, many at a time, with back-off. */
export class Deliveries {
  url: string | null;
  secrets: readonly string[];
  shape: DeliveryShape = usualShape;
  readonly #parts: DeliveryParts;
  readonly #draw: () => number;
  readonly #events: GatewayEvent[] = [];
  readonly #attempts: DeliveryAttempt[] = [];
  #isHolding = false;
  /** Not yet answered with 2xx, whether held, planned, waiting or on the way. */
  readonly #open = new Set<Delivery>();
  #held: Delivery[] = [];
  #waiting: Delivery[] = [];
  #onTheWay = 0;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #closing = new AbortController();
  #idlers: (() => void)[] = [];

  constructor(parts: DeliveryParts, saved: readonly Delivery[]) {
    this.#parts = parts;
    this.#draw = drawing(parts.seed);
    this.url = parts.url;
    this.secrets = parts.secrets;
    for (const delivery of saved) this.#add(delivery);
  }

  publish(event: GatewayEvent): void {
    remember(this.#events, event);
    const { copies, dropped } = this.shape;
    if (dropped > 0) {
      this.shape = { ...this.shape, dropped: dropped - 1 };
      return;
    }
    for (let copy = 0; copy < copies; copy += 1) this.#add({ event, attempts: 0 });
  }

  hold(): void {
    this.#isHolding = true;
  }

  /** What was held goes out one after the other: each is answered before the next one begins. */
  async release(order: "asSent" | "reversed" | "shuffled"): Promise<void> {
    this.#isHolding = false;
    if (this.url === null) return;
    const held = this.#takeHeld();
    const ordered = order === "asSent" ? held : order === "reversed" ? held.reverse() : shuffled(held, this.#draw);
    this.#onTheWay += 1;
    for (const delivery of ordered) await this.#attempt(delivery);
    this.#onTheWay -= 1;
    this.#next();
  }

  /** Where events go from now on, those included that had nowhere to go. */
  deliverTo(url: string): void {
    this.url = url;
    if (!this.#isHolding) for (const delivery of this.#takeHeld()) this.#plan(delivery, 0);
  }

  /** One request outside of all this, as somebody else would send it. */
  async post(body: string, signature: string | null): Promise<number | null> {
    if (this.url === null) return null;
    const headers = {
      "content-type": "application/json",
      ...(signature === null ? {} : { [signatureHeader]: signature }),
    };
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(deadlineMs)]);
    try {
      const response = await fetch(this.url, { method: "POST", headers, body, signal, redirect: "manual" });
      await response.body?.cancel();
      return response.status;
    } catch {
      return null;
    }
  }

  /** Resolves when nothing is on the way or planned. What is held does not count. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idlers.push(resolve));
  }

  events(): readonly GatewayEvent[] {
    return [...this.#events];
  }

  attempts(): readonly DeliveryAttempt[] {
    return [...this.#attempts];
  }

  undelivered(): readonly Delivery[] {
    return [...this.#open];
  }

  stop(): void {
    this.#closing.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting = [];
    this.#next();
  }

  #add(delivery: Delivery): void {
    this.#open.add(delivery);
    if (this.#isHeld()) this.#held.push(delivery);
    else this.#plan(delivery, this.shape.delayMs + this.#draw() * this.shape.windowMs);
  }

  #plan(delivery: Delivery, afterMs: number): void {
    if (this.#closing.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#isHeld()) this.#held.push(delivery);
      else this.#waiting.push(delivery);
      this.#next();
    }, afterMs);
    this.#timers.add(timer);
  }

  #next(): void {
    while (this.#onTheWay < maxAtOnce) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) break;
      this.#onTheWay += 1;
      void this.#attempt(delivery).finally(() => {
        this.#onTheWay -= 1;
        this.#next();
      });
    }
    if (!this.#isIdle()) return;
    const idlers = this.#idlers;
    this.#idlers = [];
    for (const resolve of idlers) resolve();
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { event } = delivery;
    const status = await this.post(event.body, sign(event.body, this.secrets, this.#parts.now()));
    if (this.#closing.signal.aborted) return;
    remember(this.#attempts, { eventId: event.id, type: event.type, status });
    this.#open.delete(delivery);
    const attempts = delivery.attempts + 1;
    const isReceived = status !== null && status >= 200 && status < 300;
    if (isReceived || attempts >= maxAttempts) return;
    const again = { event, attempts };
    this.#open.add(again);
    const backOffMs = Math.min(firstBackOffMs * 2 ** (attempts - 1), longestBackOffMs) * this.#parts.pace;
    this.#plan(again, Math.max(backOffMs, leastBackOffMs));
  }

  #takeHeld(): Delivery[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #isHeld(): boolean {
    return this.#isHolding || this.url === null;
  }

  #isIdle(): boolean {
    return this.#timers.size === 0 && this.#waiting.length === 0 && this.#onTheWay === 0;
  }
}

function remember<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > maxRemembered) list.splice(0, list.length - maxRemembered);
}
