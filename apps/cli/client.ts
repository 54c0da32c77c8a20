import type { AppRouter } from "@sewa/api";
import {
  createTRPCClient,
  createWSClient,
  httpLink,
  splitLink,
  type TRPCClient,
  type TRPCWebSocketClient,
  wsLink,
} from "@trpc/client";
import superjson from "superjson";
import { readClientEnv } from "./env.ts";
import { createTokenStore, type TokenStore } from "./token-store.ts";

export interface Session {
  readonly api: TRPCClient<AppRouter>;
  readonly apiUrl: string;
  readonly tokens: TokenStore;
}

let chosen: string | undefined;

/** For which organization this command speaks, instead of the one in the environment. */
export function speakFor(organizationId: string | undefined): void {
  chosen = organizationId;
}

/** Speaks to the api as whoever is logged in, or as nobody. Streams go over a WebSocket, which is opened for them. */
export async function withApi<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const env = readClientEnv();
  const apiUrl = env.SEWA_API_URL;
  const tokens = createTokenStore();
  const token = env.SEWA_TOKEN ?? (await tokens.find(apiUrl));
  const organization = chosen ?? env.SEWA_ORGANIZATION;
  const socket = createWSClient({
    url: `${apiUrl.replace(/^http/, "ws")}/trpc`,
    lazy: { enabled: true, closeMs: 0 },
    ...(token !== null && { connectionParams: { token, ...(organization !== undefined && { organization }) } }),
  });
  try {
    return await work({ api: createApi(apiUrl, { token, organization }, socket), apiUrl, tokens });
  } finally {
    await socket.close();
  }
}

interface Speaker {
  readonly token: string | null;
  /** The caller's home where it is left out. */
  readonly organization: string | undefined;
}

function createApi(
  apiUrl: string,
  { token, organization }: Speaker,
  socket: TRPCWebSocketClient,
): TRPCClient<AppRouter> {
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: wsLink({ client: socket, transformer: superjson }),
        false: httpLink({
          url: `${apiUrl}/trpc`,
          transformer: superjson,
          headers: {
            ...(token !== null && { authorization: `Bearer ${token}` }),
            ...(organization !== undefined && { "sewa-organization": organization }),
          },
        }),
      }),
    ],
  });
}

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** More than this is not read by a person. */
const maxPages = 20;

/** All pages of a list, as far as anybody reads. */
export async function listAll<T>(
  list: (page: { readonly cursor?: string }) => Promise<Page<T>>,
): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const answer: Page<T> = await list(cursor === null ? {} : { cursor });
    items.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === null) break;
  }
  return items;
}
