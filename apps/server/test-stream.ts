import { WebSocket } from "ws";
import { until } from "./test-house.ts";

interface Followed extends AsyncDisposable {
  /** Frames as they came. */
  readonly seen: string[];
  readonly end: { value: { code: number; reason: string } | null };
}

/** A stream of all events on a socket of its own that does not come again once it is closed. */
export async function followEvents(
  url: string,
  connectionParams: { readonly token: string; readonly organization?: string },
): Promise<Followed> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc?connectionParams=1`);
  const seen: string[] = [];
  const end: Followed["end"] = { value: null };
  socket.on("open", () => {
    socket.send(JSON.stringify({ method: "connectionParams", data: connectionParams }));
    const input = { json: {} };
    socket.send(JSON.stringify({ id: 1, method: "subscription", params: { path: "instances.onEvent", input } }));
  });
  socket.on("message", (data) => seen.push((data as Buffer).toString()));
  socket.on("close", (code, reason) => (end.value = { code, reason: reason.toString() }));
  await until("the stream has begun", () => seen.some((text) => text.includes('"started"')));
  return {
    seen,
    end,
    async [Symbol.asyncDispose]() {
      if (end.value !== null) return;
      socket.terminate();
      await until("it is closed", () => end.value);
    },
  };
}
