import { request, type Dispatcher } from "undici";
import { ClusterUnreachable } from "../errors.ts";
import { createLimiter } from "./limiter.ts";
import { createPatience } from "./patience.ts";
import { openSessions, type Credentials } from "./session.ts";
import { toClusterError } from "./status.ts";

export interface KubeRequest {
  readonly method: "GET" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** How much of the answer is wanted; all of it unless told. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** What is asked, for messages: verb, kind and name, never values. */
  readonly what: string;
  /** The answer may begin only when there is something to tell; TCP finds out when the server is gone. */
  readonly hasLateHeaders?: boolean;
  /** Leaves what the server says out of error messages, because it may quote the body. */
  readonly isSecret?: boolean;
  /** What the server says now is what is wanted, a refusal too: one that was heard before does not answer for it. */
  readonly isQuestion?: boolean;
}

export interface Connection extends AsyncDisposable {
  /** Answers the parsed body of a success; anything else is one of the errors of `errors.ts`. */
  json<T>(request: KubeRequest): Promise<T>;
  /** The body of a watch or a log, as it arrives. It ends when the server ends it and throws when the connection breaks. */
  stream(request: KubeRequest): Promise<AsyncIterable<Uint8Array>>;
}

const requestMs = 10_000;
/** Enough to keep an API server busy, too few to be throttled by its fairness rules. Watches are not counted. */
const parallelRequests = 16;

export interface ConnectionOptions {
  readonly requestMs?: number;
  /** A clock in milliseconds, of any origin, by which the server's wish to be left alone is kept. */
  readonly now?: () => number;
}

export function openConnection(credentials: Credentials, options: ConnectionOptions = {}): Connection {
  const patience = createPatience(options.now ?? (() => performance.now()));
  const sessions = openSessions(credentials);
  const limit = createLimiter(parallelRequests);
  const timeoutMs = options.requestMs ?? requestMs;

  const send = async (
    kube: KubeRequest,
    signal: AbortSignal,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> => {
    const session = await sessions.get().catch((error: unknown) => {
      throw new ClusterUnreachable("The credentials of the cluster cannot be read.", null, { cause: error });
    });
    const query = kube.query === undefined ? "" : `?${new URLSearchParams(kube.query).toString()}`;
    const response = await request(`${session.server}${kube.path}${query}`, {
      dispatcher: session.dispatcher,
      method: kube.method,
      headers: {
        ...session.headers,
        accept: kube.accept ?? "application/json",
        "user-agent": "sewa",
        ...(kube.body === undefined ? {} : { "content-type": kube.contentType ?? "application/json" }),
      },
      body: kube.body === undefined ? null : JSON.stringify(kube.body),
      signal,
      headersTimeout: kube.hasLateHeaders === true ? 0 : timeoutMs,
      bodyTimeout,
    });
    if (response.statusCode === 401) sessions.drop();
    return response;
  };

  const heard = (kube: KubeRequest, response: Dispatcher.ResponseData, body: string, isWatch = false): Error => {
    const error = failure(response, body, kube);
    patience.hear(isWatch ? "watch" : kube, response.statusCode, error);
    return error;
  };

  return {
    json: <T>(kube: KubeRequest) =>
      limit(async () => {
        patience.check(kube);
        const timeout = AbortSignal.timeout(timeoutMs);
        const signal = kube.signal === undefined ? timeout : AbortSignal.any([timeout, kube.signal]);
        const answer = await send(kube, signal, timeoutMs)
          .then(async (response) => ({ response, body: await response.body.text() }))
          .catch((error: unknown) => fail(error, kube));
        const { response, body } = answer;
        if (response.statusCode >= 300) throw heard(kube, response, body);
        return parse<T>(body, kube);
      }),
    async stream(kube) {
      patience.check("watch");
      const response = await send(kube, kube.signal ?? new AbortController().signal, 0).catch((error: unknown) =>
        fail(error, kube),
      );
      if (response.statusCode >= 300) throw heard(kube, response, await response.body.text().catch(() => ""), true);
      // A break before anybody reads would be an event without a listener, which ends the process. Whoever reads gets the
      // error all the same.
      response.body.on("error", () => undefined);
      return response.body;
    },
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  };
}

/** An abort that the caller asked for stays what it is; every other break of the wire means that nobody was reached. */
function fail(error: unknown, kube: KubeRequest): never {
  kube.signal?.throwIfAborted();
  if (error instanceof ClusterUnreachable) throw error;
  throw new ClusterUnreachable(`${kube.what}: no answer.`, null, { cause: error });
}

function failure(response: Dispatcher.ResponseData, body: string, kube: KubeRequest): Error {
  const header = response.headers["retry-after"];
  const retryAfter = Array.isArray(header) ? header[0] : header;
  return toClusterError({ status: response.statusCode, body, retryAfter }, kube.what, kube.isSecret);
}

/** The caller names the type of what a path answers; the server's own schema is the guarantee. */
function parse<T>(body: string, kube: KubeRequest): T {
  try {
    return JSON.parse(body) as T;
  } catch (error) {
    throw new ClusterUnreachable(`${kube.what}: the answer is no JSON.`, null, { cause: error });
  }
}
