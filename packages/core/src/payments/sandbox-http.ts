import { ProviderUnavailable } from "./provider.ts";

/** No answer of the gateway is a tenth as long. */
const answerLimitBytes = 65_536;

export interface SandboxConnection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly apiKey: string;
  /** For a whole exchange, the body of the answer included. */
  readonly timeoutMs: number;
}

export interface SandboxRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly content?: object;
  readonly signal: AbortSignal;
}

export interface SandboxAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

/**
 * One request and its answer, whatever status that has. Rejects with `ProviderUnavailable` when there is none, or none that can be read:
 * then nobody knows what was done. Nothing is sent twice from here, and no redirect is followed, with the key or without.
 */
export async function exchange(connection: SandboxConnection, request: SandboxRequest): Promise<SandboxAnswer> {
  const { url, apiKey, timeoutMs } = connection;
  const { method, path, content, signal } = request;
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        accept: "application/json",
        ...(content === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await readText(response);
    return { status: response.status, body: parse(text) };
  } catch (error) {
    throw new ProviderUnavailable(`${method} at the gateway brought no answer: ${reasonOf(error)}`, { cause: error });
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early ends the connection.
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > answerLimitBytes) throw new Error(`the answer is longer than ${answerLimitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Undefined for what is no JSON, such as the page of a proxy. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
