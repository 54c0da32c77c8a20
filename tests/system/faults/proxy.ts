import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** While silent, what is sent is swallowed and nothing ends: a partition. */
  isSilent: boolean;
  /** RST on everything that is open; answers how many sockets that were. */
  reset(): number;
}

/** A TCP proxy on 127.0.0.1 that does harm when told to. */
export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.once("close", () => open.delete(socket)).on("error", () => undefined);
  };
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) keep(socket);
    client.on("data", (chunk: Buffer) => proxy.isSilent || upstream.write(chunk));
    upstream.on("data", (chunk: Buffer) => proxy.isSilent || client.write(chunk));
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroy());
  });
  const proxy: Proxy = {
    port: 0,
    isSilent: false,
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
