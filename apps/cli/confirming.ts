import { TRPCClientError } from "@trpc/client";
import { askCode, askPassword } from "./ask-password.ts";
import type { Session } from "./client.ts";

/**
 * Does what cannot be undone. Where the server wants to know first who sits there, it asks for the password, or for a code where the
 * second factor is on, and does it again: what was refused has done nothing.
 */
export async function confirming<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  try {
    return await work(session);
  } catch (error) {
    if (!isRefusal(error, "CONFIRMATION_REQUIRED")) throw error;
  }
  const { auth } = session.api;
  const { enabledAt } = await auth.totp.status.query();
  await auth.confirm.mutate(enabledAt === null ? { password: await askPassword() } : { code: await askCode() });
  return work(session);
}

export function isRefusal(error: unknown, appCode: string): boolean {
  if (!(error instanceof TRPCClientError)) return false;
  const data = error.data as { readonly appCode?: string } | null | undefined;
  return data?.appCode === appCode;
}
