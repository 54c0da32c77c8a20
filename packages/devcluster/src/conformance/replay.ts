import { setTimeout as delay } from "node:timers/promises";
import { startDevcluster, type Devcluster } from "../devcluster.ts";
import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { compareBodies } from "./compare.ts";
import type { Trace, TraceLine } from "./trace.ts";
import { Translation } from "./translate.ts";

export interface LineResult {
  readonly n: number;
  readonly note: string;
  /** Empty when the answer is as the recorded one. */
  readonly differences: readonly string[];
}

/** Reads are repeated until they show what was recorded, so long at most: controllers need a moment. */
const pollMs = { bound: 3_000, forStatus: 300, step: 5 };
/** Events of a recorded watch that came so soon are the state it began with. */
const initialEventMs = 6;
/** A recorded watch must show its kinds of events within this time. */
const watchBoundMs = 1_000;

/** Sends the requests of a trace to a fresh cluster, in order, and compares every answer. */
export async function replay(trace: Trace, isSkipped: (n: number) => boolean): Promise<LineResult[]> {
  await using cluster = await startDevcluster({
    pace: 0,
    nodes: [{ name: "node1", role: "worker", cpu: "2", memory: "24581692Ki" }],
  });
  const session = new Session(cluster, trace);
  await session.prepare();
  const results: LineResult[] = [];
  for (const line of trace.lines) {
    const differences = isExcluded(line) ? [] : await session.line(line, isSkipped(line.n));
    results.push({ n: line.n, note: line.note, differences });
  }
  for (const { line, watch } of session.watches) {
    const differences = await watch.missing(line);
    const known = results.find((result) => result.n === line.n);
    if (known !== undefined)
      results[results.indexOf(known)] = { ...known, differences: [...known.differences, ...differences] };
  }
  session.close();
  return results;
}

/** Lines whose set-up is not recorded and that have no answer to compare. */
function isExcluded(line: TraceLine): boolean {
  return line.response.status === 0;
}

class Session {
  readonly #cluster: Devcluster;
  readonly #trace: Trace;
  readonly #token: string;
  readonly #translation = new Translation();
  readonly #closing = new AbortController();
  readonly #made = new Set<string>();
  readonly watches: { readonly line: TraceLine; readonly watch: RecordedWatch }[] = [];

  constructor(cluster: Devcluster, trace: Trace) {
    this.#cluster = cluster;
    this.#trace = trace;
    this.#token = /token: "(.*)"/.exec(cluster.kubeconfig)?.[1] ?? "";
  }

  close(): void {
    this.#closing.abort();
  }

  /** The recorded cluster had no default classes and no metrics-server; images of this name could never be pulled there. */
  async prepare(): Promise<void> {
    this.#cluster.metrics.setState("absent");
    await this.#send("DELETE", "/apis/storage.k8s.io/v1/storageclasses/local-path");
    await this.#send("DELETE", "/apis/networking.k8s.io/v1/ingressclasses/traefik");
    this.#cluster.faults.failImagePull("registry.local/missing");
    if (this.#trace.id !== "13") return;
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    const standard = { metadata: { name: "standard", annotations }, provisioner: "kubernetes.io/host-path" };
    await this.#send("POST", "/apis/storage.k8s.io/v1/storageclasses", standard);
  }

  async line(line: TraceLine, isSkipped: boolean): Promise<string[]> {
    await this.#setUp(line);
    const { method, path, query = {}, headers = {}, as, body } = line.request;
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) parameters.set(name, this.#parameter(name, value));
    const translated = this.#translation.text(path) + (parameters.size === 0 ? "" : `?${parameters.toString()}`);
    const content =
      typeof body === "string" || body === undefined ? body : JSON.stringify(this.#translation.value(body));
    const sent = { ...headers, "user-agent": "platform/1.0", ...this.#credentials(as) };
    if (line.response.events !== undefined && !path.endsWith("/log")) {
      return this.#openWatch(line, translated, sent);
    }
    const started = Date.now();
    let differences: string[] = [];
    for (;;) {
      const answer = await this.#fetch(method, translated, sent, content);
      const isRead = method === "GET";
      differences = compareAnswers(line, answer, isRead);
      const lasting = isPolled(line) ? differences : compareAnswers(line, answer, false);
      const bound = isSkipped ? 0 : lasting.length > 0 ? pollMs.bound : pollMs.forStatus;
      if (differences.length === 0 || !isRead || Date.now() - started > bound) {
        differences = [...lasting];
        this.#translation.learn(line.response.body, answer.body);
        return differences;
      }
      await delay(pollMs.step);
    }
  }

  #parameter(name: string, value: string): string {
    return name === "resourceVersion" ? this.#translation.version(value) : this.#translation.text(value);
  }

  #credentials(as: string | undefined): Record<string, string> {
    if (as === "none") return {};
    return { authorization: `Bearer ${as === "token" ? "wrong" : this.#token}` };
  }

  async #openWatch(line: TraceLine, path: string, headers: Record<string, string>): Promise<string[]> {
    const response = await fetch(`${this.#cluster.url}${path}`, { headers, signal: this.#closing.signal });
    this.watches.push({ line, watch: new RecordedWatch(response) });
    return response.status === line.response.status
      ? []
      : [`status: recorded ${line.response.status}, ours ${response.status}`];
  }

  async #fetch(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | undefined,
  ): Promise<Answer> {
    const init = { method, headers, ...(body === undefined || method === "GET" ? {} : { body: Buffer.from(body) }) };
    const response = await fetch(`${this.#cluster.url}${path}`, { ...init, signal: this.#closing.signal });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }

  async #send(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      "content-type": "application/json",
      "user-agent": "platform/1.0",
    };
    return this.#fetch(method, path, headers, body === undefined ? undefined : JSON.stringify(body));
  }

  /** Makes what the recorded scenario had set up without recording it: the namespace, and objects that are there at once. */
  async #setUp(line: TraceLine): Promise<void> {
    const [, namespace] = /\/namespaces\/([^/]+)/.exec(line.request.path) ?? [];
    const missing = `namespaces "${namespace ?? ""}" not found`;
    const isUnknown =
      this.#trace.lines.some(({ response }) => recordOf(response.body)["message"] === missing) &&
      !this.#trace.lines.some(
        ({ request, response }) => response.status === 201 && request.path.includes(`/${namespace ?? ""}/`),
      );
    const isKnownNamespace = namespace === undefined || isUnknown || this.#isMadeInTrace("namespaces", namespace);
    if (!isKnownNamespace && !this.#made.has(namespace)) {
      this.#made.add(namespace);
      await this.#send("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
    }
    const unrecorded = unrecordedObjects(this.#trace, line, namespace);
    for (const { collection, object } of unrecorded) {
      const name = stringOf(recordOf(object["metadata"])["name"]);
      const key = `${collection}/${name}`;
      // What a watch shows at once was there before it; what it shows later may be made by a line below.
      const event = line.response.events?.find((item) => item.object === object);
      const until = event === undefined || event.ms <= initialEventMs ? line.n : Infinity;
      if (this.#made.has(key) || this.#isMadeInTrace(collection, name, until)) continue;
      this.#made.add(key);
      const answer = await this.#send("POST", collection, stripped(this.#translation.value(object)));
      this.#translation.learn(object, answer.body);
    }
  }

  #isMadeInTrace(collection: string, name: string, until = Infinity): boolean {
    return this.#trace.lines.some(({ n, request, response }) => {
      if (response.status !== 201 || n > until) return false;
      const made = stringOf(recordOf(recordOf(request.body)["metadata"])["name"]);
      const isHere = request.path.endsWith(collection) || request.path.endsWith(`${collection}/${name}`);
      return isHere && (made === name || request.path.endsWith(`/${name}`));
    });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Only the last answer of a recorded poll is known to show controllers that had finished. */
function isPolled(line: TraceLine): boolean {
  return line.polls !== undefined || line.waitedMs !== undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function compareAnswers(line: TraceLine, answer: Answer, isRead: boolean): string[] {
  const differences: string[] = [];
  if (answer.status !== line.response.status) {
    differences.push(`status: recorded ${line.response.status}, ours ${answer.status}`);
  }
  const warned = line.response.headers["warning"] !== undefined;
  if (warned !== (answer.headers.get("warning") !== null)) differences.push(`warning: recorded ${warned}`);
  const type = stringOf(line.response.headers["content-type"]).split(";")[0] ?? "";
  const ours = (answer.headers.get("content-type") ?? "").split(";")[0] ?? "";
  if (type !== "" && line.response.body !== undefined && type !== ours)
    differences.push(`content-type: recorded ${type}, ours ${ours}`);
  if (line.request.method === "HEAD" || line.response.body === undefined || line.response.body === null)
    return differences;
  const isError = line.response.status >= 400;
  const isSettled = isError || isPolled(line) || isRead;
  return [...differences, ...compareBodies(line.response.body, answer.body, isSettled)];
}

/** Objects that the line finds although no line of the trace made them, in their recorded form. */
function unrecordedObjects(
  trace: Trace,
  line: TraceLine,
  namespace: string | undefined,
): { collection: string; object: JsonRecord }[] {
  if (namespace === undefined || line.response.status >= 300) return [];
  const base = line.request.path.replace(/\/(scale|status)$/, "");
  const match =
    /^(.*\/namespaces\/[^/]+\/(configmaps|secrets|serviceaccounts|services|resourcequotas|limitranges|pods|deployments|persistentvolumeclaims))(?:\/([^/]+))?$/.exec(
      base,
    );
  if (match === null) return [];
  const [, collection = "", , name] = match;
  const found: JsonRecord[] = [];
  const own = [
    line.response.body,
    ...listOf(recordOf(line.response.body)["items"]),
    ...(line.response.events ?? []).map((event) => event.object),
  ];
  // Claims that only a list shows were made by a controller from a template.
  const isMadeByController = collection.endsWith("persistentvolumeclaims") && name === undefined;
  if (line.request.method !== "POST" && line.response.status !== 201 && !isMadeByController) {
    for (const item of own) if (isStandalone(item, name)) found.push(recordOf(item));
  }
  // Owners that only later lines show in full.
  for (const reference of listOf(recordOf(recordOf(line.request.body)["metadata"])["ownerReferences"])) {
    const { name: owner, uid } = recordOf(reference);
    const shown = anywhere(trace, stringOf(owner));
    if (shown !== null && recordOf(shown["metadata"])["uid"] === uid) found.push(shown);
  }
  return found.map((object) => ({ collection, object }));
}

function isStandalone(item: unknown, name: string | undefined): boolean {
  const metadata = recordOf(recordOf(item)["metadata"]);
  const own = stringOf(metadata["name"]);
  if (own === "" || (name !== undefined && own !== name) || own === "kube-root-ca.crt" || own === "default")
    return false;
  return metadata["ownerReferences"] === undefined && metadata["deletionTimestamp"] === undefined && isRecord(item);
}

function anywhere(trace: Trace, name: string): JsonRecord | null {
  for (const { response } of trace.lines) {
    for (const item of [response.body, ...(response.events ?? []).map((event) => event.object)]) {
      if (isStandalone(item, name)) return recordOf(item);
    }
  }
  return null;
}

function stripped(object: unknown): JsonRecord {
  const { status: _status, ...rest } = recordOf(object);
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _time,
    managedFields: _owners,
    generation: _generation,
    ...metadata
  } = recordOf(rest["metadata"]);
  const { spec } = rest;
  return {
    ...rest,
    metadata,
    ...(isRecord(spec) && Array.isArray(spec["containers"]) ? { spec: withoutAdmission(spec) } : {}),
  };
}

/** A pod as it was sent: without the node and what admission adds to every pod. */
function withoutAdmission(spec: JsonRecord): JsonRecord {
  const isToken = (item: unknown): boolean => stringOf(recordOf(item)["name"]).startsWith("kube-api-access-");
  const { nodeName: _node, tolerations: _tolerations, priority: _priority, preemptionPolicy: _policy, ...rest } = spec;
  const { serviceAccount: _account, serviceAccountName: _accountName, ...plain } = rest;
  const containers = listOf(plain["containers"]).map((container) => {
    const mounts = listOf(recordOf(container)["volumeMounts"]).filter((mount) => !isToken(mount));
    return { ...recordOf(container), volumeMounts: mounts };
  });
  return { ...plain, containers, volumes: listOf(plain["volumes"]).filter((volume) => !isToken(volume)) };
}

/** Reads a watch and remembers which kinds of events came. */
class RecordedWatch {
  readonly #types = new Set<string>();

  constructor(response: Response) {
    void this.#read(response).catch(() => {
      // Cut off at the end of the replay.
    });
  }

  async #read(response: Response): Promise<void> {
    if (response.body === null) return;
    let rest = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#types.add(stringOf(recordOf(JSON.parse(line))["type"]));
    }
  }

  /** The kinds of events that were recorded and did not come here, waited for a moment. */
  async missing(line: TraceLine): Promise<string[]> {
    const wanted = new Set((line.response.events ?? []).map((event) => event.type));
    const started = Date.now();
    for (;;) {
      const absent = [...wanted].filter((type) => !this.#types.has(type));
      if (absent.length === 0) return [];
      if (Date.now() - started > watchBoundMs) return [`watch: recorded ${absent.join(", ")}, which did not come`];
      await delay(pollMs.step);
    }
  }
}
