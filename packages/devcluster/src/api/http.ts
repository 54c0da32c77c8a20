import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiError } from "../kube/status.ts";

export const bodyLimitBytes = 3_145_728;

/** What a handler answers: JSON, or text as it stands. `null` means that the handler took the response over. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
}

export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body, contentType: "text/plain; charset=utf-8", headers };
}

export function pageNotFound(): Answer {
  return text(404, "404 page not found\n", { "x-content-type-options": "nosniff" });
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    // The rest is still read, so that the client gets the answer instead of a broken pipe.
    if (size <= bodyLimitBytes) chunks.push(bytes);
  }
  if (size > bodyLimitBytes) {
    throw new ApiError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${bodyLimitBytes}`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Warnings are sent as quoted texts with code 299. */
export function send(response: ServerResponse, answer: Answer): void {
  const isText = typeof answer.body === "string";
  const payload =
    answer.body === undefined ? "" : isText ? (answer.body as string) : `${JSON.stringify(answer.body)}\n`;
  const warnings = (answer.warnings ?? []).map((warning) => `299 - ${JSON.stringify(warning)}`);
  if (warnings.length > 0) response.setHeader("warning", warnings);
  response.writeHead(answer.status, {
    "content-type": answer.contentType ?? "application/json",
    "cache-control": "no-cache, private",
    ...answer.headers,
    "content-length": Buffer.byteLength(payload),
  });
  response.end(payload);
}

export function errorAnswer(error: unknown): Answer {
  if (error instanceof ApiError) {
    const retry = error.status.details?.retryAfterSeconds;
    return {
      status: error.code,
      body: error.status,
      ...(retry === undefined ? {} : { headers: { "retry-after": String(retry) } }),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { status: 500, body: new ApiError(500, "InternalError", `Internal error occurred: ${message}`).status };
}
