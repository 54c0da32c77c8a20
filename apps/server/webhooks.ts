import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError, maxNoticeBytes, NoticeRefused, type PaymentProvider, receiveNotice } from "@sewa/core";
import { type RefusalReason, sendJson } from "./answers.ts";
import { addressOf } from "./client.ts";
import type { House } from "./house.ts";

const webhookPath = "/webhooks/payments/";

/** The provider whose webhook a path is; null for any other path, and for one that is not connected. */
export function webhookProvider(house: House, path: string): PaymentProvider | null {
  if (!path.startsWith(webhookPath)) return null;
  return house.providers.find(({ name }) => name === path.slice(webhookPath.length)) ?? null;
}

/**
 * Takes a notice in, on its raw bytes. 200 once it is stored, be it now or before; every refusal is the same 400, so that nothing
 * can be learnt from it. Whoever cannot be served now is told so, and sends it again.
 */
export async function takeNotice(
  house: House,
  provider: PaymentProvider,
  request: IncomingMessage,
  response: ServerResponse,
  refuseWith: (reason: RefusalReason) => void,
): Promise<void> {
  response.setHeader("cache-control", "no-store");
  try {
    await house.admit(null, addressOf(request, house.trustedProxies));
    const body = await readBody(request);
    if (body === null) return refuseWith("tooLarge");
    await receiveNotice(house.core, provider, { body, headers: plainHeaders(request) });
    sendJson(response, 200, { received: true });
  } catch (error) {
    if (error instanceof NoticeRefused) return refuseWith("notice");
    if (error instanceof DomainError && error.code === "RATE_LIMITED") return refuseWith("tooMany");
    house.log.error({ err: error, provider: provider.name }, "notice could not be stored");
    refuseWith("unavailable");
  }
}

/** Null for more than any notice has. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxNoticeBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A header that came several times is none: nobody can say which of them was meant. */
function plainHeaders({ headersDistinct }: IncomingMessage): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values]) => [name, values?.length === 1 ? values[0] : undefined]),
  );
}
