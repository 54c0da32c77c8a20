import { connection } from "next/server";
import type { ReactNode } from "react";
import { ApiProvider } from "../lib/api-provider";
import { publicApiUrl } from "../lib/config";

export const metadata = { title: "Sewa" };

export default async function Layout({ children }: { readonly children: ReactNode }) {
  // The environment is read when the page is asked for, not when it is built.
  await connection();
  return (
    <html lang="en">
      <body>
        <ApiProvider apiUrl={publicApiUrl()}>{children}</ApiProvider>
      </body>
    </html>
  );
}
