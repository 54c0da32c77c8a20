import type { ServerResponse } from "node:http";
import { forbiddenField, invalidValue } from "../kube/causes.ts";
import type { Container, Pod } from "../kube/kinds.ts";
import { as, type KubeObject } from "../kube/object.ts";
import { ApiError, badRequest, type StatusCause } from "../kube/status.ts";
import type { Objects } from "../objects/context.ts";
import { text, type Answer } from "./http.ts";
import type { PodLogs, StampedLine } from "./pod-logs.ts";
import { booleanParameter, integerParameter } from "./query.ts";
import type { Watches } from "./watch.ts";

/** The log of a pod's container. A pod without a node answers 204. */
export function podLog(
  house: { readonly objects: Objects; readonly watches: Watches; readonly logs: PodLogs },
  object: KubeObject,
  query: URLSearchParams,
  response: ServerResponse,
): Answer | null {
  const { logs } = house;
  const pod = as<Pod>(object);
  const options = readOptions(pod, query);
  const container = chosenContainer(pod, query.get("container"));
  if (pod.spec.nodeName === undefined) return { status: 204, body: undefined };
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const status = statuses.find((item) => item.name === container.name);
  const lines = (
    options.isPrevious ? logs.previous(pod, container, status) : logs.current(pod, container, status)
  ).filter(({ at }) => Date.parse(at) >= options.sinceMs);
  const shown = options.tailLines === null ? lines : lines.slice(Math.max(0, lines.length - options.tailLines));
  const body = shown.map((line) => format(line, options)).join("");
  const limited = options.limitBytes === null ? body : Buffer.from(body).toString("utf8", 0, options.limitBytes);
  const isRunning = status?.state.running !== undefined;
  if (!options.isFollowed || options.isPrevious || !isRunning) {
    return { ...text(200, limited), contentType: "text/plain" };
  }
  follow(house, pod, container, { body, format: (line) => format(line, options) }, response);
  return null;
}

interface LogOptions {
  readonly isPrevious: boolean;
  readonly isFollowed: boolean;
  readonly hasTimestamps: boolean;
  readonly tailLines: number | null;
  readonly limitBytes: number | null;
  readonly sinceMs: number;
}

/** Refused as a real server does: what is no number 400, what is out of bounds 422. */
function readOptions(pod: Pod, query: URLSearchParams): LogOptions {
  const tailLines = integerParameter(query, "tailLines");
  const limitBytes = integerParameter(query, "limitBytes");
  const sinceSeconds = integerParameter(query, "sinceSeconds");
  const sinceTime = query.get("sinceTime") ?? "";
  const causes: StatusCause[] = [];
  if (tailLines !== null && tailLines < 0) {
    causes.push(invalidValue("tailLines", tailLines, "must be greater than or equal to 0"));
  }
  if (limitBytes !== null && limitBytes < 1) {
    causes.push(invalidValue("limitBytes", limitBytes, "must be greater than 0"));
  }
  if (sinceSeconds !== null && sinceTime !== "") {
    causes.push(forbiddenField("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else if (sinceSeconds !== null && sinceSeconds < 1) {
    causes.push(invalidValue("sinceSeconds", sinceSeconds, "must be greater than 0"));
  }
  if (query.has("stream")) causes.push(forbiddenField("stream", "may not be specified"));
  if (causes.length > 0) {
    const { name } = pod.metadata;
    const said = causes.map(({ field, message }) => `${field ?? ""}: ${message}`).join(", ");
    const message = `PodLogOptions "${name}" is invalid: ${causes.length === 1 ? said : `[${said}]`}`;
    throw new ApiError(422, "Invalid", message, { details: { name, kind: "PodLogOptions", causes } });
  }
  const since = sinceTime === "" ? 0 : Date.parse(sinceTime);
  if (Number.isNaN(since)) throw badRequest(`parsing time "${sinceTime}" as RFC 3339: cannot parse`);
  return {
    isPrevious: booleanParameter(query, "previous"),
    isFollowed: booleanParameter(query, "follow"),
    hasTimestamps: booleanParameter(query, "timestamps"),
    tailLines,
    limitBytes,
    // Whole seconds are all that reaches the kubelet.
    sinceMs: sinceSeconds === null ? Math.floor(since / 1_000) * 1_000 : Date.now() - sinceSeconds * 1_000,
  };
}

function format({ at, text: line }: StampedLine, { hasTimestamps }: LogOptions): string {
  return hasTimestamps ? `${at} ${line}\n` : `${line}\n`;
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

/** A followed log stays open until the run that it began with has ended, the pod is gone or the client leaves. */
function follow(
  { objects, watches, logs }: { readonly objects: Objects; readonly watches: Watches; readonly logs: PodLogs },
  pod: Pod,
  container: Container,
  shown: { readonly body: string; readonly format: (line: StampedLine) => string },
  response: ServerResponse,
): void {
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  response.write(shown.body);
  const restartsOf = (status: Pod["status"]): number | undefined =>
    status.containerStatuses?.find(({ name }) => name === container.name)?.restartCount;
  const restarts = restartsOf(pod.status);
  const unlisten = logs.listen(pod, container.name, (line) => response.write(shown.format(line)));
  const unsubscribe = objects.store.subscribe((change) => {
    if (change.resource !== "pods" || change.object.metadata.uid !== pod.metadata.uid) return;
    const { status } = as<Pod>(change.object);
    const state = status.containerStatuses?.find(({ name }) => name === container.name)?.state;
    const isOver = state?.running === undefined || restartsOf(status) !== restarts;
    if (change.type === "DELETED" || isOver) response.end();
  });
  watches.adopt(response);
  response.on("close", () => {
    unlisten();
    unsubscribe();
  });
}
