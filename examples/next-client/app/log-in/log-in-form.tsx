"use client";

import { useRouter } from "next/navigation";
import { useActionState } from "react";
import { useApi } from "../../lib/api-provider";
import { explain } from "../../lib/errors";

/** Logs in from the browser, so that the API's answer sets the cookie there. No script ever sees it. */
export function LogInForm() {
  const api = useApi();
  const router = useRouter();
  const [problem, logIn, isPending] = useActionState(async (_: string | null, form: FormData) => {
    try {
      await api.auth.logIn.mutate({ email: textOf(form, "email"), password: textOf(form, "password") });
    } catch (error) {
      return explain(error);
    }
    router.replace("/");
    router.refresh();
    return null;
  }, null);
  return (
    <form action={logIn}>
      <label>
        E-mail <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit" disabled={isPending}>
        Log in
      </button>
      {problem !== null && <p role="alert">{problem}</p>}
    </form>
  );
}

function textOf(form: FormData, field: string): string {
  const value = form.get(field);
  return typeof value === "string" ? value : "";
}
