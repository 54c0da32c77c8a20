import type { AppRouter } from "@sewa/api";
import { createTRPCClient, createWSClient, httpBatchLink, splitLink, type TRPCClient, wsLink } from "@trpc/client";
import superjson from "superjson";
import { WebSocket } from "ws";

export interface Client extends AsyncDisposable {
  readonly api: TRPCClient<AppRouter>;
}

/** A typed client as a portal would make it: calls over HTTP, live status over a WebSocket. */
export function createClient(apiUrl: string, token: string | null): Client {
  const socket = createWSClient({
    url: `${apiUrl.replace(/^http/, "ws")}/trpc`,
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    lazy: { enabled: true, closeMs: 1_000 },
    ...(token === null ? {} : { connectionParams: () => ({ token }) }),
  });
  const api = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: wsLink({ client: socket, transformer: superjson }),
        false: httpBatchLink({
          url: `${apiUrl}/trpc`,
          transformer: superjson,
          maxItems: 10,
          headers: () => (token === null ? {} : { authorization: `Bearer ${token}` }),
        }),
      }),
    ],
  });
  return { api, [Symbol.asyncDispose]: () => socket.close() };
}
