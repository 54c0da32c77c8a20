"use client";

import type { AppRouter } from "@sewa/api";
import type { TRPCClient } from "@trpc/client";
import { createContext, type ReactNode, useContext, useEffect, useMemo } from "react";
import { createBrowserApi } from "./browser-api";

const Api = createContext<TRPCClient<AppRouter> | null>(null);

export function ApiProvider({ apiUrl, children }: { readonly apiUrl: string; readonly children: ReactNode }) {
  const client = useMemo(() => createBrowserApi(apiUrl), [apiUrl]);
  useEffect(() => () => client.close(), [client]);
  return <Api value={client.api}>{children}</Api>;
}

export function useApi(): TRPCClient<AppRouter> {
  const api = useContext(Api);
  if (api === null) throw new Error("useApi belongs inside of ApiProvider.");
  return api;
}
