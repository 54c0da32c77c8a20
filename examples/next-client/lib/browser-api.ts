import type { AppRouter } from "@sewa/api";
import { transformer } from "@sewa/api";
import { createTRPCClient, createWSClient, httpBatchLink, splitLink, type TRPCClient, wsLink } from "@trpc/client";

export interface BrowserApi {
  readonly api: TRPCClient<AppRouter>;
  close(): void;
}

/**
 * Calls over HTTP with the session's cookie; subscriptions over one WebSocket, opened with the first of them and closed after
 * the last. A ticket opens it, because cookies do not go with a socket to another site. It is good once, so each try to
 * connect asks for a new one; every subscription then goes on after the last id that it got.
 */
export function createBrowserApi(apiUrl: string): BrowserApi {
  const url = `${apiUrl}/trpc`;
  const calls = httpBatchLink({
    url,
    transformer,
    maxItems: 10,
    fetch: (target, init) => fetch(target, { ...init, credentials: "include" } as RequestInit),
  });
  const http = createTRPCClient<AppRouter>({ links: [calls] });
  const socket = createWSClient({
    url: url.replace(/^http/, "ws"),
    lazy: { enabled: true, closeMs: 2_000 },
    async connectionParams() {
      const { ticket } = await http.auth.socketTicket.mutate();
      return { ticket };
    },
  });
  const api = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: wsLink({ client: socket, transformer }),
        false: calls,
      }),
    ],
  });
  return { api, close: () => void socket.close() };
}
