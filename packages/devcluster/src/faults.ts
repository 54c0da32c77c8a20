import { type AnsweredRequests, AnswerSwitches, type FaultyAnswer, type RequestPattern } from "./answers.ts";

/**
 * Things that go wrong on a real cluster, switched on by tests and demos. Each switch stands until it is cleared. Patterns
 * match image names: a text matches images that contain it.
 */
export type ImagePattern = string | RegExp;

export interface Faults {
  /** Images that cannot be pulled: ErrImagePull, then ImagePullBackOff. */
  failImagePull(pattern: ImagePattern): void;
  /** Containers that end with this exit code soon after their start: CrashLoopBackOff. */
  crashLoop(pattern: ImagePattern, exitCode?: number): void;
  /** Containers that are killed for their memory: exit 137, OOMKilled. */
  oomKill(pattern: ImagePattern): void;
  /** Containers that cannot be made, as with a Secret that lacks a key: CreateContainerConfigError. */
  failConfig(pattern: ImagePattern): void;
  /** Containers that run and are not ready, those included that were. */
  neverReady(pattern: ImagePattern): void;
  /** Claims that stay Pending: all, or those whose name contains the text. */
  stopBinding(claimName?: string): void;
  /**
   * Claims that are asked for more and do not get it. `failed`: the storage refuses (ControllerResizeError). `waiting`: the disk is larger and
   * the node does not make use of it yet (FileSystemResizePending).
   */
  stopGrowth(how: GrowthFault): void;
  /** Jobs whose pods fail: those whose name contains the text. */
  failJobs(jobName: string, exitCode?: number): void;
  /** An API beside the server's own does not answer, so that no namespace is ever emptied: Terminating, DiscoveryFailed. */
  failDiscovery(groupVersion: string): void;
  /** A node that stops answering, or answers again. Its pods are no longer ready meanwhile. */
  setNodeReady(node: string, isReady: boolean): void;
  /** The API server answers requests that match otherwise than it should, or not at all. */
  answer(pattern: RequestPattern, how: FaultyAnswer): AnsweredRequests;
  /** Everything is well again. What already failed recovers as it would on a real cluster. */
  clear(): void;
}

export type GrowthFault = "failed" | "waiting";

/** What the controllers ask. */
export interface ActiveFaults {
  pullFails(image: string): boolean;
  crashExitCode(image: string): number | null;
  isOomKilled(image: string): boolean;
  configFails(image: string): boolean;
  isNeverReady(image: string): boolean;
  isBindingStopped(claimName: string): boolean;
  growthFault(): GrowthFault | null;
  jobExitCode(jobName: string): number;
  /** Group and version of APIs that do not answer. */
  readonly undiscovered: readonly string[];
}

function matches(pattern: ImagePattern, image: string): boolean {
  return typeof pattern === "string" ? image.includes(pattern) : pattern.test(image);
}

export class FaultSwitches implements ActiveFaults {
  readonly #pulls: ImagePattern[] = [];
  readonly #crashes: { readonly pattern: ImagePattern; readonly exitCode: number }[] = [];
  readonly #oom: ImagePattern[] = [];
  readonly #configs: ImagePattern[] = [];
  readonly #unready: ImagePattern[] = [];
  readonly #claims: string[] = [];
  readonly #growth: GrowthFault[] = [];
  readonly #jobs: { readonly name: string; readonly exitCode: number }[] = [];
  readonly undiscovered: string[] = [];
  readonly #lostNodes = new Set<string>();
  readonly answers = new AnswerSwitches();
  /** Everything that is off when it is empty. */
  readonly #lists: readonly unknown[][] = [
    this.#pulls,
    this.#crashes,
    this.#oom,
    this.#configs,
    this.#unready,
    this.#claims,
    this.#growth,
    this.#jobs,
    this.undiscovered,
  ];

  pullFails = (image: string): boolean => this.#pulls.some((pattern) => matches(pattern, image));
  isOomKilled = (image: string): boolean => this.#oom.some((pattern) => matches(pattern, image));
  configFails = (image: string): boolean => this.#configs.some((pattern) => matches(pattern, image));
  isNeverReady = (image: string): boolean => this.#unready.some((pattern) => matches(pattern, image));
  isBindingStopped = (claimName: string): boolean => this.#claims.some((text) => claimName.includes(text));
  growthFault = (): GrowthFault | null => this.#growth.at(-1) ?? null;

  crashExitCode = (image: string): number | null =>
    this.#crashes.find(({ pattern }) => matches(pattern, image))?.exitCode ?? null;

  jobExitCode = (jobName: string): number => this.#jobs.find(({ name }) => jobName.includes(name))?.exitCode ?? 0;

  /** The public switches; `changed` makes the controllers look again, `nodeChanged` writes the node's condition. */
  controls(changed: () => void, nodeChanged: (node: string, isReady: boolean) => void): Faults {
    const push = <T>(list: T[], item: T): void => {
      list.push(item);
      changed();
    };
    return {
      failImagePull: (pattern) => push(this.#pulls, pattern),
      crashLoop: (pattern, exitCode = 1) => push(this.#crashes, { pattern, exitCode }),
      oomKill: (pattern) => push(this.#oom, pattern),
      failConfig: (pattern) => push(this.#configs, pattern),
      neverReady: (pattern) => push(this.#unready, pattern),
      stopBinding: (claimName = "") => push(this.#claims, claimName),
      stopGrowth: (how) => push(this.#growth, how),
      failJobs: (name, exitCode = 1) => push(this.#jobs, { name, exitCode }),
      failDiscovery: (groupVersion) => push(this.undiscovered, groupVersion),
      setNodeReady: (node, isReady): void => {
        if (isReady) this.#lostNodes.delete(node);
        else this.#lostNodes.add(node);
        nodeChanged(node, isReady);
        changed();
      },
      answer: (pattern, how) => this.answers.add(pattern, how),
      clear: (): void => {
        this.answers.clear();
        for (const list of this.#lists) list.length = 0;
        for (const node of this.#lostNodes) nodeChanged(node, true);
        this.#lostNodes.clear();
        changed();
      },
    };
  }
}
