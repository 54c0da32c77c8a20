import type { ServerResponse } from "node:http";
import type { Container, ContainerStatus, Pod } from "../kube/kinds.ts";
import { as, type KubeObject } from "../kube/object.ts";
import { badRequest } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import { text, type Answer } from "./http.ts";
import { booleanParameter, integerParameter } from "./query.ts";

/**
 * Logs of a pod. Nothing runs here, so the lines are made from the status: what a container of such an image would say
 * when it starts, and how its last run ended. A pod without a node answers 204.
 */
export function podLog(
  objects: Objects,
  object: KubeObject,
  query: URLSearchParams,
  response: ServerResponse,
): Answer | null {
  const pod = as<Pod>(object);
  const container = chosenContainer(pod, query.get("container"));
  if (pod.spec.nodeName === undefined) return { status: 204, body: undefined };
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const status = statuses.find((item) => item.name === container.name);
  const wantsPrevious = booleanParameter(query, "previous");
  const lines = wantsPrevious ? previousLines(pod, container, status) : currentLines(pod, container, status);
  const stamp = (line: string): string =>
    booleanParameter(query, "timestamps") ? `${startOf(status).replace("Z", ".000000000Z")} ${line}` : line;
  const tail = integerParameter(query, "tailLines");
  const shown = (tail === null ? lines : lines.slice(Math.max(0, lines.length - tail))).map(stamp);
  const body = shown.map((line) => `${line}\n`).join("");
  if (!booleanParameter(query, "follow") || wantsPrevious) return { ...text(200, body), contentType: "text/plain" };
  follow(objects, pod, body, response);
  return null;
}

function chosenContainer(pod: Pod, wanted: string | null): Container {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const { name } = pod.metadata;
  if (wanted === null || wanted === "") {
    const [only] = pod.spec.containers;
    if (only !== undefined && pod.spec.containers.length === 1) return only;
    const names = pod.spec.containers.map((container) => container.name).join(" ");
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names}]`);
  }
  const found = all.find((container) => container.name === wanted);
  if (found === undefined) throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  return found;
}

function startOf(status: ContainerStatus | undefined): string {
  return status?.state.running?.startedAt ?? status?.state.terminated?.startedAt ?? "1970-01-01T00:00:00Z";
}

function currentLines(pod: Pod, container: Container, status: ContainerStatus | undefined): string[] {
  const ended = status?.state.terminated ?? status?.lastState.terminated;
  if (status?.state.running === undefined && ended === undefined) {
    const why = status?.state.waiting?.reason ?? "ContainerCreating";
    const detail = status?.state.waiting?.message;
    const reason =
      why === "ImagePullBackOff" || why === "ErrImagePull"
        ? "trying and failing to pull image"
        : why === "ContainerCreating" || detail === undefined
          ? why
          : `${why}: ${detail}`;
    throw badRequest(`container "${container.name}" in pod "${pod.metadata.name}" is waiting to start: ${reason}`);
  }
  return runLines(container, ended?.exitCode ?? 0, ended?.reason);
}

function previousLines(pod: Pod, container: Container, status: ContainerStatus | undefined): string[] {
  const last = status?.lastState.terminated;
  if (last === undefined) {
    throw badRequest(`previous terminated container "${container.name}" in pod "${pod.metadata.name}" not found`);
  }
  return runLines(container, last.exitCode, last.reason);
}

function runLines(container: Container, exitCode: number, reason: string | undefined): string[] {
  const ports = (container.ports ?? []).map((port) => port.containerPort).join(", ");
  const lines = [
    `development cluster: ${container.name} stands for ${container.image}`,
    `development cluster: no program runs, these lines are made up`,
    ports === "" ? "ready" : `listening on ${ports}`,
  ];
  if (reason === undefined) return lines;
  return [...lines, exitCode === 0 ? "done" : `ended with exit code ${exitCode} (${reason})`];
}

/** A followed log stays open until the pod is gone or its client leaves. */
function follow(objects: Objects, pod: Pod, body: string, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/plain" });
  response.write(body);
  const unsubscribe = objects.store.subscribe((change) => {
    if (change.resource !== "pods" || change.object.metadata.uid !== pod.metadata.uid) return;
    const { phase } = as<Pod>(change.object).status;
    if (change.type === "DELETED" || phase === "Succeeded" || phase === "Failed") response.end();
  });
  response.on("close", unsubscribe);
  const isOver = pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
  if (isOver) response.end();
}
