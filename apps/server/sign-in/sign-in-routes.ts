import type { IncomingMessage, ServerResponse } from "node:http";
import {
  beginSignIn,
  type CoreContext,
  confirmWith,
  createContext,
  DomainError,
  hashToken,
  isApiToken,
  linkIdentity,
  logOut,
  newSignInBrowser,
  portalAddressOf,
  type ProvenIdentity,
  type SignInAttempt,
  signInWith,
  takeSignIn,
} from "@sewa/core";
import type { RefusalReason } from "../answers.ts";
import { addressOf, userAgentOf } from "../client.ts";
import { readCookie, sessionCookie, sessionCookieName } from "../credentials.ts";
import type { House } from "../house.ts";
import { type ProviderClient, secretsOf, type Way } from "./provider-client.ts";
import { signInCookie, signInCookieName } from "./sign-in-cookie.ts";
import { coreError, providerError, type SignInError } from "./sign-in-errors.ts";

const routePath = /^\/sign-in\/([a-z0-9-]{1,31})(\/callback)?$/;
/** Of what a browser brings back: more than any provider sends. */
const maxAnswerCharacters = 8_000;

/** A provider that is configured, and which end of the way to it is meant. */
export interface SignInRoute {
  readonly client: ProviderClient;
  readonly isCallback: boolean;
}

/** Null for any other path, and for a provider that is not configured. */
export function signInRoute(house: House, path: string): SignInRoute | null {
  const [, name = "", callback] = routePath.exec(path) ?? [];
  const client = house.signIn.get(name);
  return client === undefined ? null : { client, isCallback: callback !== undefined };
}

interface Visit {
  readonly house: House;
  readonly client: ProviderClient;
  readonly core: CoreContext;
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
  readonly redirectUri: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly language: string;
  /** What this browser holds of an earlier step. */
  readonly browser: string | null;
  readonly sessionToken: string | null;
}

/** Answers with a redirect, whatever happens: to the provider, into the portal, or to the portal's page for signing in with a closed code. */
export async function answerSignIn(
  house: House,
  { client, isCallback }: SignInRoute,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  refuseWith: (reason: RefusalReason) => void,
): Promise<void> {
  response.setHeader("cache-control", "no-store");
  response.setHeader("referrer-policy", "no-referrer");
  const visit = readVisit(house, client, request, response, requestId);
  try {
    await house.admit(null, visit.ip);
  } catch {
    return refuseWith("tooMany");
  }
  try {
    await (isCallback ? comeBack(visit) : setOut(visit));
  } catch (error) {
    fail(visit, coreError(error), error, null);
  }
}

async function setOut(visit: Visit): Promise<void> {
  const { house, client, core, query, redirectUri, sessionToken, ip } = visit;
  const { name: provider } = client.settings;
  // One for all tabs of a browser, so that none ends another one's way.
  const browser = visit.browser ?? newSignInBrowser();
  const returnTo = query.get("returnTo") ?? "/";
  const ticket = query.get("ticket");
  const begun = await beginSignIn(core, { provider, browser, returnTo, ip, ticket, sessionToken });
  const { purpose, state, expiresAt } = begun;
  try {
    const address = await client.begin({ purpose, redirectUri, state, ...secretsOf(browser, state) });
    redirect(visit, address.href, [signInCookie(house.isSecure, browser, expiresAt)]);
  } catch (error) {
    fail(visit, providerError(error), error, { purpose, returnTo });
  }
}

async function comeBack(visit: Visit): Promise<void> {
  const { client, core, query, redirectUri, sessionToken } = visit;
  const { name: provider } = client.settings;
  const state = query.get("state") ?? "";
  const browser = visit.browser ?? "";
  const attempt = await takeSignIn(core, { provider, state, browser, sessionToken });
  const way: Way = { purpose: attempt.purpose, redirectUri, state, ...secretsOf(browser, state) };
  let identity: ProvenIdentity;
  try {
    identity = await client.finish(way, query);
  } catch (error) {
    return fail(visit, providerError(error), error, attempt);
  }
  try {
    await (attempt.holder === null ? letIn(visit, attempt, identity) : serve(visit, attempt, attempt.holder, identity));
  } catch (error) {
    fail(visit, coreError(error), error, attempt);
  }
}

async function letIn(visit: Visit, { returnTo }: SignInAttempt, identity: ProvenIdentity): Promise<void> {
  const { house, core, ip, userAgent, language, sessionToken } = visit;
  const locale = /^en\b/i.test(language) ? "en" : "id";
  const outcome = await signInWith(core, { identity, ip, userAgent, locale });
  const forget = signInCookie(house.isSecure, "", new Date(0));
  if (outcome.kind === "code_required") {
    const page = portalPage(house, "/sign-in", { returnTo });
    // Behind the #, where no server and no page that is visited next sees it. Without a code it opens nothing.
    page.hash = new URLSearchParams({ ticket: outcome.ticket }).toString();
    return redirect(visit, page.href, [forget]);
  }
  if (sessionToken !== null && !isApiToken(sessionToken)) await logOut(core, { token: sessionToken });
  const { token, session } = outcome;
  redirect(visit, portalAddress(house, returnTo), [sessionCookie(house.isSecure, token, session.expiresAt), forget]);
}

async function serve(
  visit: Visit,
  attempt: SignInAttempt,
  holder: NonNullable<SignInAttempt["holder"]>,
  identity: ProvenIdentity,
): Promise<void> {
  const { house, core } = visit;
  if (attempt.purpose === "confirm") await confirmWith(core, { ...holder, identity, begunAt: attempt.begunAt });
  else await linkIdentity(core, { ...holder, identity });
  redirect(visit, portalAddress(house, attempt.returnTo), [signInCookie(house.isSecure, "", new Date(0))]);
}

function redirect({ response }: Visit, location: string, cookies: readonly string[]): void {
  response.writeHead(302, { location, "set-cookie": [...cookies] }).end();
}

/** Who wanted to come in is led to the page for that; who is in, to where they came from. */
function fail(
  visit: Visit,
  code: SignInError,
  error: unknown,
  way: Pick<SignInAttempt, "purpose" | "returnTo"> | null,
): void {
  const { house, client, response } = visit;
  const { name: provider } = client.settings;
  const fields = { provider, reason: code, err: error };
  if (code === "unavailable") house.log.error(fields, "sign-in failed");
  else if (error instanceof DomainError || code === "cancelled")
    house.log.debug({ provider, reason: code }, "sign-in refused");
  else house.log.warn(fields, "provider failed a sign-in");
  const returnTo = way?.returnTo ?? "/";
  const page =
    way === null || way.purpose === "sign_in"
      ? portalPage(house, "/sign-in", { returnTo })
      : new URL(portalAddress(house, returnTo));
  page.searchParams.set("error", code);
  page.searchParams.set("provider", provider);
  response.writeHead(302, { location: page.href }).end();
}

function portalPage(house: House, path: string, query: Readonly<Record<string, string>>): URL {
  const page = new URL(house.core.config.portalUrl + path);
  for (const [name, value] of Object.entries(query)) page.searchParams.set(name, value);
  return page;
}

/** Looked at again although it was when it was stored: nothing that leads out of the portal leaves here. */
function portalAddress({ core }: House, returnTo: string): string {
  return portalAddressOf(core.config.portalUrl, returnTo) ?? `${core.config.portalUrl}/`;
}

function readVisit(
  house: House,
  client: ProviderClient,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Visit {
  const address = addressOf(request, house.trustedProxies);
  const userAgent = userAgentOf(request);
  const cookie = readCookie(request, signInCookieName(house.isSecure)) ?? "";
  const [, search = ""] = (request.url ?? "").slice(0, maxAnswerCharacters).split(/\?(.*)/s, 2);
  return {
    house,
    client,
    core: createContext(house.core, { actor: house.core.actor, requestId, client: { address, userAgent } }),
    query: new URLSearchParams(search),
    response,
    // Where it listens, not what the client calls it: the header is the client's to write.
    redirectUri: `${house.apiUrl ?? listeningAt(request)}/sign-in/${client.settings.name}/callback`,
    ip: address,
    userAgent,
    language: request.headers["accept-language"] ?? "",
    browser: hashToken("sign_in_browser", cookie) === null ? null : cookie,
    sessionToken: readCookie(request, sessionCookieName(house.isSecure)),
  };
}

function listeningAt({ socket }: IncomingMessage): string {
  const { localAddress = "127.0.0.1", localPort } = socket;
  return `http://${localAddress.includes(":") ? `[${localAddress}]` : localAddress}:${localPort}`;
}
