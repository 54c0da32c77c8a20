import { request as httpRequest } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { startDevcluster, type Devcluster, type DevclusterOptions } from "../devcluster.ts";
import type { KubeObject } from "../kube/object.ts";
import type { StatusBody } from "../kube/status.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers freely; what is not there shows as a failed expectation.
  readonly body: KubeObject & StatusBody & { readonly items: readonly KubeObject[] };
}

/** A cluster with a client for it. Everything ends with the test that opened it. */
export class TestCluster implements AsyncDisposable {
  readonly cluster: Devcluster;
  readonly #token: string;

  constructor(cluster: Devcluster) {
    this.cluster = cluster;
    this.#token = /token: "(.*)"/.exec(cluster.kubeconfig)?.[1] ?? "";
  }

  async call(method: string, path: string, body?: unknown, type = "application/json"): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": type, "user-agent": "tester/1.0" };
    const content = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const response = await fetch(`${this.cluster.url}${path}`, { method, headers, ...content });
    const text = await response.text();
    let parsed: unknown = text;
    try {
      parsed = JSON.parse(text);
    } catch {
      // Plain text stays text.
    }
    return { status: response.status, headers: response.headers, body: parsed as Answer["body"] };
  }

  get(path: string): Promise<Answer> {
    return this.call("GET", path);
  }

  apply(path: string, body: object, manager = "tester"): Promise<Answer> {
    return this.call("PATCH", `${path}?fieldManager=${manager}&force=true`, body, "application/apply-patch+yaml");
  }

  /** Reads a path until the answer is as wanted; fails with the last answer after a bound. */
  async until(path: string, isDone: (answer: Answer) => boolean, boundMs = 5_000): Promise<Answer> {
    const started = Date.now();
    for (;;) {
      const answer = await this.get(path);
      if (isDone(answer)) return answer;
      if (Date.now() - started > boundMs) {
        throw new Error(`${path} did not become what was awaited: ${JSON.stringify(answer.body).slice(0, 2_000)}`);
      }
      await delay(5);
    }
  }

  /** Opens a watch and collects its events. */
  watch(path: string): TestWatch {
    return new TestWatch(`${this.cluster.url}${path}`, this.#token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster.stop();
  }
}

export async function testCluster(options: DevclusterOptions = {}): Promise<TestCluster> {
  return new TestCluster(await startDevcluster({ pace: 0, ...options }));
}

export interface SeenEvent {
  readonly type: string;
  readonly object: KubeObject & StatusBody;
}

export class TestWatch {
  readonly events: SeenEvent[] = [];
  /** Of the answer's head; null before it came. */
  status: number | null = null;
  /** "open" until the server ended it cleanly or the connection broke. */
  state: "open" | "ended" | "broken" = "open";

  constructor(url: string, token: string) {
    const request = httpRequest(url, { headers: { authorization: `Bearer ${token}` } }, (response) => {
      let rest = "";
      this.status = response.statusCode ?? null;
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.events.push(JSON.parse(line) as SeenEvent);
      });
      response.on("end", () => (this.state = "ended"));
      response.on("error", () => (this.state = "broken"));
    });
    request.on("error", () => (this.state = "broken"));
    request.end();
  }

  async until(isDone: (watch: TestWatch) => boolean, boundMs = 3_000): Promise<void> {
    const started = Date.now();
    while (!isDone(this)) {
      if (Date.now() - started > boundMs)
        throw new Error(`the watch is ${this.state} and saw ${JSON.stringify(this.events).slice(0, 1_000)}`);
      await delay(5);
    }
  }
}

/** The body of a Deployment with one container. */
export function deployment(name: string, container: object = {}, spec: object = {}): object {
  const labels = { app: name };
  const containers = [{ name: "main", image: "example/app:1", ...container }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      ...spec,
    },
  };
}
