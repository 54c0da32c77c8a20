import type { SessionDto } from "@sewa/api";
import type { Command } from "commander";
import { askCode, askPassword } from "../ask-password.ts";
import { type Session, withApi } from "../client.ts";
import { isRefusal } from "../confirming.ts";
import { formatTime, leaf, sheet, show, type JsonOption } from "../output.ts";

export function addAccountCommands(program: Command): void {
  leaf(program, "login <email>", "log in; asks for the password, or reads it from standard input")
    .option("--code <code>", "of the authenticator app, or a recovery code; asked for on a terminal where it is needed")
    .action(login);
  leaf(program, "logout", "end the session").action(logout);
  leaf(program, "me", "who is logged in").action(me);
  leaf(program, "billing", "what is printed about the organization on later invoices")
    .option("--tax-id <id>", "as the tax office writes it; empty to take it away")
    .option("--country <code>", "such as ID: which taxes hold; empty to take it away")
    .action(billing);
}

async function login(email: string, { code, ...options }: JsonOption & { readonly code?: string }): Promise<void> {
  const password = await askPassword();
  const session = await withApi(async ({ api, apiUrl, tokens }) => {
    const answer = await logIn(api, { email, password, code });
    await tokens.keep(apiUrl, answer.token);
    return answer;
  });
  const { token: _, ...shown } = session;
  show(options, shown, () => `Logged in as ${session.user.email} until ${formatTime(session.expiresAt)}.`);
}

async function logIn(
  api: Session["api"],
  input: { readonly email: string; readonly password: string; readonly code: string | undefined },
): Promise<SessionDto> {
  try {
    return await api.auth.logIn.mutate(input);
  } catch (error) {
    if (!isRefusal(error, "TOTP_REQUIRED") || !process.stdin.isTTY) throw error;
    return api.auth.logIn.mutate({ ...input, code: await askCode() });
  }
}

async function logout(options: JsonOption): Promise<void> {
  await withApi(async ({ api, apiUrl, tokens }) => {
    await api.auth.logOut.mutate();
    await tokens.forget(apiUrl);
  });
  show(options, { loggedOut: true }, () => "Logged out.");
}

async function me(options: JsonOption): Promise<void> {
  const { user, organization, role, isOperator, testClockNow } = await withApi(({ api }) => api.auth.me.query());
  show(options, { user, organization, role, isOperator, testClockNow }, () =>
    sheet({
      "e-mail": user.email,
      name: user.name,
      organization: `${organization.name} (${organization.id}, ${organization.timeZone})`,
      role,
      ...(isOperator ? { operator: "yes" } : {}),
      ...(testClockNow === null ? {} : { "test clock": formatTime(testClockNow) }),
    }),
  );
}

async function billing(options: JsonOption & { readonly taxId?: string; readonly country?: string }): Promise<void> {
  const { taxId, country } = options;
  const organization = await withApi(async ({ api }) => {
    if (taxId === undefined && country === undefined) return (await api.auth.me.query()).organization;
    return api.organizations.update.mutate({ taxId: orNull(taxId), country: orNull(country) });
  });
  const { name, taxId: id, country: code } = organization;
  show(options, organization, () => sheet({ organization: name, "tax id": id ?? "", country: code ?? "" }));
}

function orNull(text: string | undefined): string | null | undefined {
  return text === "" ? null : text;
}
