import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** What a Service of Kubernetes does: new connections go in turn to whoever says it is ready; open ones stay where they are. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** Its readiness is asked for until it is removed. */
  add(serverUrl: string): void;
  remove(serverUrl: string): void;
  readyCount(): number;
}

const pollMs = 100;
const probeMs = 2_000;
/** As Kubernetes counts unless told otherwise. */
const failureThreshold = 3;

export async function startBalancer(): Promise<Balancer> {
  /** How often in a row each server did not say that it is ready. */
  const failures = new Map<string, number>();
  const open = new Set<Socket>();
  let turn = 0;
  let isEnding = false;

  const ready = (): string[] => [...failures].filter(([, count]) => count < failureThreshold).map(([url]) => url);
  const probe = async (url: string): Promise<void> => {
    const status = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(probeMs) }).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      },
      (error: Error) => (error.name === "TimeoutError" ? null : 0),
    );
    const count = failures.get(url);
    // Who is only slow, as everybody is on a busy machine, stays what it was.
    if (count !== undefined && status !== null) failures.set(url, status === 200 ? 0 : count + 1);
  };
  const poll = async (): Promise<void> => {
    while (!isEnding) {
      await Promise.all([...failures.keys()].map(probe));
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  };
  const server = createServer((client) => {
    const able = ready();
    const chosen = able[(turn += 1) % able.length];
    if (chosen === undefined) return void client.destroy();
    const { hostname, port } = new URL(chosen);
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on("error", () => to.destroy()).on("close", () => open.delete(from));
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const polling = poll();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (url) => void failures.set(url, failureThreshold),
    remove: (url) => void failures.delete(url),
    readyCount: () => ready().length,
    async [Symbol.asyncDispose]() {
      isEnding = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await Promise.all([closed, polling]);
    },
  };
}
