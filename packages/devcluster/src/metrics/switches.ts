import type { ImagePattern } from "../faults.ts";
import type { Amounts } from "./measure.ts";

/**
 * `served`: a metrics-server answers. `unavailable`: it is registered and does not, which the API server says for it
 * with 503. `absent`: the cluster never had one, and its paths are 404.
 */
export type MetricsState = "served" | "unavailable" | "absent";

/** What metrics.k8s.io tells. */
export interface Metrics {
  /** What containers use from now on: those whose image, or whose pod's name, the pattern matches. The last word counts. */
  setUsage(pattern: ImagePattern, usage: Partial<Amounts>): void;
  setState(state: MetricsState): void;
  /** Served again, with usage that is made up. */
  clear(): void;
}

/** What was set for a container; empty when nothing was. */
export type SetUsage = (podName: string, image: string) => Partial<Amounts>;

export class MetricsSwitches {
  #state: MetricsState = "served";
  readonly #set: { readonly pattern: ImagePattern; readonly usage: Partial<Amounts> }[] = [];

  get state(): MetricsState {
    return this.#state;
  }

  setUsage: SetUsage = (podName, image) =>
    Object.assign(
      {},
      ...this.#set
        .filter(({ pattern }) => [podName, image].some((text) => matches(pattern, text)))
        .map(({ usage }) => usage),
    ) as Partial<Amounts>;

  controls(): Metrics {
    return {
      setUsage: (pattern, usage) => void this.#set.push({ pattern, usage }),
      setState: (state) => (this.#state = state),
      clear: (): void => {
        this.#set.length = 0;
        this.#state = "served";
      },
    };
  }
}

function matches(pattern: ImagePattern, text: string): boolean {
  return typeof pattern === "string" ? text.includes(pattern) : pattern.test(text);
}
