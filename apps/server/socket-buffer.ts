import type { WebSocket } from "ws";

const pollMs = 25;

/** tRPC sends without asking whether the reader keeps up; here is where that ends. */
export function boundBuffer(client: WebSocket, maxBytes: number, onFull: () => void): void {
  const send = client.send.bind(client) as (...sent: unknown[]) => void;
  const bounded = (...sent: unknown[]): void => {
    if (client.bufferedAmount > maxBytes) onFull();
    else send(...sent);
  };
  client.send = bounded as WebSocket["send"];
}

/** Resolves when less than `bytes` wait to be read, or nobody is there to read them. */
export async function flushed(client: WebSocket, bytes: number): Promise<void> {
  while (client.readyState === client.OPEN && client.bufferedAmount > bytes) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
