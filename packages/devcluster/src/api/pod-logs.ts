import type { Container, ContainerStatus, Pod } from "../kube/kinds.ts";
import { badRequest } from "../kube/status.ts";

/** A line with its time, as RFC 3339 with nine digits of a second. */
export interface StampedLine {
  readonly at: string;
  readonly text: string;
}

type Listener = (line: StampedLine) => void;

/** As a kubelet, which begins a new file when the log has grown: only the newest lines of a run are kept. */
const keptLines = 5_000;

/**
 * What programs would write. Nothing runs here, so each run has a few lines that are made from its status, and whatever
 * `write` adds.
 */
export class PodLogs {
  readonly #written = new Map<string, StampedLine[]>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #lastMs = 0;
  #sameMs = 0;

  /** Lines of one run of a container that have a status of their own. */
  write(pod: Pod, container: string, text: string): void {
    const key = keyOf(pod, container, restartsOf(pod, container));
    const lines = this.#written.get(key) ?? [];
    this.#written.set(key, lines);
    for (const part of text.split("\n")) {
      const line = { at: this.#stamp(), text: part };
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      for (const listener of this.#listeners.get(`${pod.metadata.uid}/${container}`) ?? []) listener(line);
    }
  }

  /** Tells what is written from now on, by whichever run. Answers the way to stop it. */
  listen(pod: Pod, container: string, listener: Listener): () => void {
    const key = `${pod.metadata.uid}/${container}`;
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }

  forget(uid: string): void {
    for (const key of this.#written.keys()) if (key.startsWith(`${uid}/`)) this.#written.delete(key);
  }

  /** Forgets what the current run has written so far, as the rotation of its file does. */
  rotate(pod: Pod, container: string): void {
    this.#written.delete(keyOf(pod, container, restartsOf(pod, container)));
  }

  current(pod: Pod, container: Container, status: ContainerStatus | undefined): readonly StampedLine[] {
    const ended = status?.state.terminated ?? status?.lastState.terminated;
    const running = status?.state.running;
    if (status === undefined || (running === undefined && ended === undefined)) {
      throw badRequest(
        `container "${container.name}" in pod "${pod.metadata.name}" is waiting to start: ${waitReason(status)}`,
      );
    }
    // While a container waits for its next run, its log is that of the last one.
    if (running !== undefined) return this.#run(pod, container, status.restartCount, running.startedAt, undefined);
    const run = status.state.terminated === undefined ? status.restartCount - 1 : status.restartCount;
    return this.#run(pod, container, Math.max(0, run), ended?.startedAt ?? "", ended);
  }

  previous(pod: Pod, container: Container, status: ContainerStatus | undefined): readonly StampedLine[] {
    const last = status?.lastState.terminated;
    if (last === undefined) {
      throw badRequest(`previous terminated container "${container.name}" in pod "${pod.metadata.name}" not found`);
    }
    return this.#run(pod, container, Math.max(0, (status?.restartCount ?? 1) - 1), last.startedAt ?? "", last);
  }

  #run(
    pod: Pod,
    container: Container,
    run: number,
    startedAt: string,
    ended: { readonly exitCode: number; readonly reason?: string } | undefined,
  ): readonly StampedLine[] {
    const ports = (container.ports ?? []).map((port) => port.containerPort).join(", ");
    const begin = [
      `development cluster: ${container.name} stands for ${container.image}`,
      `development cluster: no program runs, these lines are made up`,
      ports === "" ? "ready" : `listening on ${ports}`,
    ].map((text, index) => ({ at: nanos(startedAt, index), text }));
    const written = this.#written.get(keyOf(pod, container.name, run)) ?? [];
    if (ended === undefined) return [...begin, ...written];
    const { exitCode, reason } = ended;
    const text = exitCode === 0 ? "done" : `ended with exit code ${exitCode} (${reason})`;
    return [...begin, ...written, { at: written.at(-1)?.at ?? nanos(startedAt, begin.length), text }];
  }

  /** No two lines have the same time, and later ones have a later one. */
  #stamp(): string {
    const ms = Math.max(Date.now(), this.#lastMs);
    this.#sameMs = ms === this.#lastMs ? this.#sameMs + 1 : 0;
    this.#lastMs = ms;
    return new Date(ms).toISOString().replace("Z", `${String(this.#sameMs).padStart(6, "0")}Z`);
  }
}

function restartsOf(pod: Pod, container: string): number {
  return pod.status.containerStatuses?.find(({ name }) => name === container)?.restartCount ?? 0;
}

function keyOf(pod: Pod, container: string, run: number): string {
  return `${pod.metadata.uid}/${container}/${run}`;
}

function nanos(second: string, index: number): string {
  return (second === "" ? "1970-01-01T00:00:00Z" : second).replace(/(\.\d+)?Z$/, `.${String(index).padStart(9, "0")}Z`);
}

function waitReason(status: ContainerStatus | undefined): string {
  const why = status?.state.waiting?.reason ?? "ContainerCreating";
  const detail = status?.state.waiting?.message;
  if (why === "ImagePullBackOff" || why === "ErrImagePull") return "trying and failing to pull image";
  return why === "ContainerCreating" || detail === undefined ? why : `${why}: ${detail}`;
}
