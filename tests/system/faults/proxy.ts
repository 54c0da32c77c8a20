import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/**
 * What happens to a chunk of the client's. `lose`: it is forwarded, and the connection is reset when the answer comes, so the
 * work is done and nobody hears of it. `swallow`: nothing comes back and nothing ends. A number: that HTTP status answers.
 */
export type Fate = "pass" | "lose" | "cut" | "swallow" | number;

export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Asked for each chunk that a client sends; everything passes until this is set. */
  decide: (head: string) => Fate;
  /** Connections that clients gave up while nothing came back. */
  abandoned(): number;
  /** RST on everything that is open; answers how many sockets that were. */
  reset(): number;
}

/** A TCP proxy on 127.0.0.1 that does harm when told to. */
export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const open = new Set<Socket>();
  let abandoned = 0;
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.once("close", () => open.delete(socket)).on("error", () => undefined);
  };
  const server = createServer((client) => {
    const upstream = connect(target);
    let fate: Fate = "pass";
    let isSwallowing = false;
    keep(client);
    keep(upstream);
    client.on("data", (chunk: Buffer) => {
      if (isSwallowing) return;
      fate = proxy.decide(chunk.toString("latin1", 0, 200));
      if (fate === "pass" || fate === "lose") upstream.write(chunk);
      else if (fate === "cut") client.resetAndDestroy();
      else if (fate === "swallow") isSwallowing = true;
      else client.end(`HTTP/1.1 ${fate} Fault\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    });
    upstream.on("data", (chunk: Buffer) => {
      if (isSwallowing) return;
      if (fate === "lose") client.resetAndDestroy();
      else client.write(chunk);
    });
    upstream.once("close", () => client.destroy());
    client.once("close", () => {
      if (isSwallowing) abandoned += 1;
      upstream.destroy();
    });
  });
  const proxy: Proxy = {
    port: 0,
    decide: () => "pass",
    abandoned: () => abandoned,
    reset() {
      const count = open.size;
      for (const socket of open) socket.resetAndDestroy();
      return count;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(proxy, { port: (server.address() as AddressInfo).port });
}
