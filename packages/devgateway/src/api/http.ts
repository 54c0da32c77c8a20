import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "../payments/refusal.ts";

const bodyLimitBytes = 65_536;

/** A value is sent as JSON, a text as it stands. */
export interface Answer {
  readonly status: number;
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
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
  if (size > bodyLimitBytes) throw new Refusal(413, "body_too_large", `A body has at most ${bodyLimitBytes} bytes.`);
  return Buffer.concat(chunks).toString("utf8");
}

export function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const payload = typeof body === "string" ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    "content-type": typeof body === "string" ? "text/html; charset=utf-8" : "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
    "content-length": Buffer.byteLength(payload),
  });
  response.end(payload);
}

export function errorAnswer(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } };
}
