import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { request as requestHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { callbackify } from "node:util";
import { isIn, isPublic, type Ranges, toList } from "./address-rules.ts";

/** Why nothing came: the call was refused by us, or it failed out there. */
export type OutgoingRefusal =
  "url" | "scheme" | "port" | "credentials" | "address" | "redirect" | "too_large" | "timeout" | "failed";

/** `message` is for whoever named the address, and tells nothing of what stands behind it. */
export class OutgoingError extends Error {
  override readonly name = "OutgoingError";
  readonly reason: OutgoingRefusal;

  constructor(reason: OutgoingRefusal, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.reason = reason;
  }
}

export interface OutgoingOptions {
  /** Open beside the public addresses, over HTTP too and at any port: `10.0.0.0/8`, for the operator's own. None unless told. */
  readonly allowedRanges?: readonly string[];
  /** Of public addresses; 443 unless told. They are spoken to over TLS only. */
  readonly ports?: readonly number[];
  /** For all hops together, with the body: 10 s unless told. */
  readonly totalMs?: number;
  /** 1 MiB unless told. */
  readonly bodyBytes?: number;
  /** Asks for the addresses of a name; the system's resolver unless told. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
}

export interface OutgoingRequest {
  readonly url: string;
  readonly method?: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface OutgoingAnswer {
  /** Of the last hop. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case; of those that came more than once, the values with a comma between. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Calls addresses that somebody else has named. */
export type Outgoing = (request: OutgoingRequest) => Promise<OutgoingAnswer>;

const maxRedirects = 3;
const usual = { ports: [443], totalMs: 10_000, bodyBytes: 1_048_576 } as const;

interface Rules {
  readonly allowed: Ranges;
  readonly ports: readonly number[];
  readonly bodyBytes: number;
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
}

/**
 * The one way out to an address that a customer, a blueprint or another server has named. What a name means is asked by the
 * connection itself, and that very answer is connected to, so that a name cannot mean one thing when it is looked at and
 * another when it is used. No proxy of the environment is asked, and no connection is kept.
 */
export function createOutgoing(options: OutgoingOptions = {}): Outgoing {
  const { ports, totalMs, bodyBytes } = { ...usual, ...options };
  const rules = {
    allowed: toList(options.allowedRanges ?? []),
    ports,
    bodyBytes,
    resolve: options.resolve ?? resolveName,
  };
  return async (request) => {
    const timeout = AbortSignal.timeout(totalMs);
    const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
    try {
      return await follow(rules, { ...request, signal });
    } catch (error) {
      if (timeout.aborted)
        throw new OutgoingError("timeout", `No whole answer within ${totalMs / 1_000} s.`, { cause: error });
      if (error instanceof OutgoingError) throw error;
      request.signal?.throwIfAborted();
      throw new OutgoingError("failed", "It does not answer.", { cause: error });
    }
  };
}

type Asked = OutgoingRequest & { readonly signal: AbortSignal };

async function follow(rules: Rules, request: Asked): Promise<OutgoingAnswer> {
  let url = parse(request.url);
  let headers = request.headers ?? {};
  for (let redirects = 0; ; redirects += 1) {
    const answer = await call(rules, url, { ...request, headers });
    const location = answer.headers["location"];
    if (answer.status < 300 || answer.status > 399 || answer.status === 304 || location === undefined) return answer;
    // What carries a body is not sent a second time to somebody else.
    if (request.method === "POST" || redirects === maxRedirects)
      throw new OutgoingError("redirect", "It sends elsewhere too often.");
    const next = nextHop(url, location);
    if (next.origin !== url.origin) headers = withoutCredentials(headers);
    url = next;
  }
}

/** Where an answer sends to. Throws where it must not be followed to. */
export function nextHop(from: URL, location: string): URL {
  const next = parse(location, from);
  if (from.protocol === "https:" && next.protocol !== "https:")
    throw new OutgoingError("redirect", "It sends from https to http.");
  return next;
}

function parse(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new OutgoingError("url", "That is no address.");
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new OutgoingError("scheme", "Only https addresses are called.");
  if (url.username !== "" || url.password !== "")
    throw new OutgoingError("credentials", "An address with a name or password in it is not called.");
  return url;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(authorization|cookie)$/i.test(name)));
}

async function call(rules: Rules, url: URL, request: Asked): Promise<OutgoingAnswer> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // The connection asks nobody what a literal address means.
  if (isIP(host) !== 0) requireOpen(rules, url, [host]);
  const options: RequestOptions = {
    method: request.method ?? "GET",
    headers: { ...request.headers, "accept-encoding": "identity", connection: "close" },
    lookup: guardedLookup(rules, url),
    agent: false,
    signal: request.signal,
  };
  const { promise, resolve, reject } = Promise.withResolvers<OutgoingAnswer>();
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const sent = send(url, options, (response) => {
    readBody(response, rules.bodyBytes).then((body) => resolve(toAnswer(url, response, body)), reject);
  });
  sent.once("error", reject).end(request.body);
  try {
    return await promise;
  } finally {
    sent.destroy();
  }
}

/** Asked by the connection, each time that it is made; what it says is where the connection goes. */
function guardedLookup(rules: Rules, url: URL): LookupFunction {
  const ask = callbackify(async (host: string): Promise<readonly LookupAddress[]> => {
    const found = await rules.resolve(host);
    requireOpen(
      rules,
      url,
      found.map(({ address }) => address),
    );
    return found;
  });
  return (host, { all }, callback) =>
    ask(host, (error, found) => {
      const [first] = found ?? [];
      if (error !== null || first === undefined) callback(error, "");
      else if (all === true) callback(null, [...found]);
      else callback(null, first.address, first.family);
    });
}

/** One closed address among them closes the name: which of them is taken is not ours to say. */
function requireOpen({ allowed, ports }: Rules, url: URL, addresses: readonly string[]): void {
  if (addresses.length === 0) throw new OutgoingError("failed", "It does not answer.");
  if (addresses.every((address) => isIn(allowed, address))) return;
  if (!addresses.every((address) => isPublic(address) || isIn(allowed, address)))
    throw new OutgoingError("address", "It is not on the public internet.");
  if (url.protocol !== "https:") throw new OutgoingError("scheme", "Only https addresses are called.");
  const port = url.port === "" ? 443 : Number(url.port);
  if (!ports.includes(port)) throw new OutgoingError("port", `Port ${port} is not called.`);
}

async function readBody(response: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) throw new OutgoingError("too_large", `It answers with more than ${most} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toAnswer(url: URL, response: IncomingMessage, body: Buffer): OutgoingAnswer {
  const headers = Object.entries(response.headers).map(([name, value]) => [name, [value ?? []].flat().join(", ")]);
  return { url: url.href, status: response.statusCode ?? 0, headers: Object.fromEntries(headers) as never, body };
}

function resolveName(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true, order: "verbatim" }, (error, found) =>
      error === null ? resolve(found) : reject(error),
    );
  });
}
