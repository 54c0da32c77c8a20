import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { listenOnLoopback } from "./test-provider.ts";

export interface TestGithub extends AsyncDisposable {
  readonly url: string;
  readonly clientSecret: string;
  user: Readonly<Record<string, unknown>>;
  emails: readonly { readonly email: string; readonly primary: boolean; readonly verified: boolean }[];
  /** What the exchange of the code answers, in the place of a token. */
  refusal: Readonly<Record<string, string>> | null;
}

/** Speaks the shapes of GitHub's documentation: OAuth 2 with PKCE, `/user` and `/user/emails`. */
export async function startTestGithub(): Promise<TestGithub> {
  const codes = new Map<string, { readonly challenge: string; readonly redirectUri: string }>();
  const clientSecret = "secret-of-the-house-at-github";
  const accessToken = "gho_16C7e42F292c6912E7710c838347Ae178B4a";
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", listening.url);
    const json = (status: number, body: unknown): void =>
      void response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
    if (url.pathname === "/login/oauth/authorize") {
      const code = `code${codes.size}`;
      const {
        redirect_uri: redirectUri = "",
        state = "",
        code_challenge: challenge = "",
      } = Object.fromEntries(url.searchParams);
      codes.set(code, { challenge, redirectUri });
      const back = new URL(redirectUri);
      back.search = new URLSearchParams({ code, state }).toString();
      return void response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === "/login/oauth/access_token") {
      const body = new URLSearchParams(await text(request));
      const known = codes.get(body.get("code") ?? "");
      codes.delete(body.get("code") ?? "");
      const digest = await crypto.subtle.digest("SHA-256", Buffer.from(body.get("code_verifier") ?? ""));
      const isRight =
        known?.challenge === Buffer.from(digest).toString("base64url") &&
        known.redirectUri === body.get("redirect_uri") &&
        body.get("client_secret") === clientSecret;
      // Refusals come with 200 as well.
      if (github.refusal !== null) return json(200, github.refusal);
      return json(
        200,
        isRight
          ? { access_token: accessToken, scope: "read:user,user:email", token_type: "bearer" }
          : { error: "bad_verification_code", error_description: "The code passed is incorrect or expired." },
      );
    }
    const isAllowed = request.headers.authorization?.toLowerCase() === `bearer ${accessToken}`.toLowerCase();
    if (!isAllowed || request.headers["user-agent"] === undefined) return json(401, { message: "Bad credentials" });
    if (url.pathname === "/api/v3/user") return json(200, github.user);
    if (url.pathname === "/api/v3/user/emails") return json(200, github.emails);
    json(404, { message: "Not Found" });
  };
  const listening = await listenOnLoopback((request, response) => void answer(request, response));
  const github: TestGithub = {
    url: listening.url,
    clientSecret,
    user: { login: "octocat", id: 583_231, name: "The Octocat", email: null },
    emails: [{ email: "octocat@provider.test", primary: true, verified: true }],
    refusal: null,
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
  return github;
}
