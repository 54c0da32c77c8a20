import type { Store, StoreEvent } from "../store/store.ts";

export interface Controller {
  readonly name: string;
  /** The keys that a change of an object makes worth looking at. */
  keysOf(event: StoreEvent): readonly string[];
  /** Brings the world closer to what the key's object says. Called any number of times; must be level-triggered. */
  reconcile(key: string): void;
}

/** So many keys are worked on before requests get their turn again. */
const batchSize = 100;
const retryDelayMs = { first: 50, most: 5_000 };

/**
 * Runs the controllers on the event loop: changes mark keys, marked keys are reconciled in the next turn, and a
 * controller can ask to be called again later. There is one timer per key; the earlier wish wins.
 */
export class ControlLoop {
  readonly #controllers: Controller[] = [];
  readonly #queue = new Map<Controller, Set<string>>();
  readonly #timers = new Map<string, { readonly timer: NodeJS.Timeout; readonly due: number }>();
  readonly #failures = new Map<string, number>();
  readonly #unsubscribe: () => void;
  readonly #onError: (controller: string, key: string, error: unknown) => void;
  #isScheduled = false;
  #isStopped = false;

  constructor(store: Store, onError: (controller: string, key: string, error: unknown) => void) {
    this.#onError = onError;
    this.#unsubscribe = store.subscribe((event) => {
      for (const controller of this.#controllers) {
        for (const key of controller.keysOf(event)) this.mark(controller, key);
      }
    });
  }

  add(controller: Controller): void {
    this.#controllers.push(controller);
    this.#queue.set(controller, new Set());
  }

  mark(controller: Controller, key: string): void {
    if (this.#isStopped) return;
    this.#queue.get(controller)?.add(key);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#drain());
  }

  /** Calls the controller again after so many milliseconds. */
  later(controller: Controller, key: string, delayMs: number): void {
    if (this.#isStopped) return;
    const id = `${controller.name} ${key}`;
    const due = Date.now() + delayMs;
    const waiting = this.#timers.get(id);
    if (waiting !== undefined && waiting.due <= due) return;
    if (waiting !== undefined) clearTimeout(waiting.timer);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.mark(controller, key);
    }, delayMs);
    this.#timers.set(id, { timer, due });
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const keys of this.#queue.values()) keys.clear();
  }

  #drain(): void {
    this.#isScheduled = false;
    let left = batchSize;
    for (const [controller, keys] of this.#queue) {
      for (const key of keys) {
        if (left-- === 0) break;
        keys.delete(key);
        this.#run(controller, key);
      }
    }
    const isWorkLeft = [...this.#queue.values()].some((keys) => keys.size > 0);
    if (!isWorkLeft || this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    setImmediate(() => this.#drain());
  }

  #run(controller: Controller, key: string): void {
    const id = `${controller.name} ${key}`;
    try {
      controller.reconcile(key);
      this.#failures.delete(id);
    } catch (error) {
      const count = (this.#failures.get(id) ?? 0) + 1;
      this.#failures.set(id, count);
      this.#onError(controller.name, key, error);
      this.later(controller, key, Math.min(retryDelayMs.first * 2 ** count, retryDelayMs.most));
    }
  }
}

/** Keys of namespaced objects are `namespace/name`. */
export function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

export function splitKey(key: string): readonly [namespace: string, name: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}
