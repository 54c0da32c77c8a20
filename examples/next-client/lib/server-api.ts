import "server-only";
import type { AppRouter } from "@sewa/api";
import { transformer } from "@sewa/api";
import { createTRPCClient, httpBatchLink, type TRPCClient } from "@trpc/client";
import { cookies, headers } from "next/headers";
import { apiUrl } from "./config";

const sessionCookies = ["__Host-session", "session"];

/**
 * Calls in the name of whoever asked for the page: the session's cookie is forwarded, and no other. For queries; a mutation
 * with a cookie needs the `origin` of a page as well, so browsers send those themselves.
 */
export async function serverApi(): Promise<TRPCClient<AppRouter>> {
  const jar = await cookies();
  const session = sessionCookies.flatMap((name) => {
    const value = jar.get(name)?.value;
    return value === undefined ? [] : [`${name}=${value}`];
  });
  // The id that a proxy gave to the page leads on to the API's log.
  const requestId = (await headers()).get("x-request-id");
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${apiUrl()}/trpc`,
        transformer,
        maxItems: 10,
        headers: {
          ...(session.length === 0 ? {} : { cookie: session.join("; ") }),
          ...(requestId === null ? {} : { "x-request-id": requestId }),
        },
        // Answers are of one customer: never kept for the next.
        fetch: (url, init) => fetch(url, { ...init, cache: "no-store" } as RequestInit),
      }),
    ],
  });
}
