"use client";

import { useRouter } from "next/navigation";
import { useApi } from "../lib/api-provider";

export function LogOutButton() {
  const api = useApi();
  const router = useRouter();
  const logOut = async (): Promise<void> => {
    await api.auth.logOut.mutate();
    router.replace("/log-in");
    router.refresh();
  };
  return (
    <button type="button" onClick={() => void logOut()}>
      Log out
    </button>
  );
}
