import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { minuteMs, secondMs } from "../clock.ts";
import { NoticeRefused, type ProviderNotice } from "./provider.ts";

const header = "sandbox-signature";
/** Older ones could be replayed by who has overheard them; later ones come from a clock that cannot be trusted. */
const toleranceMs = 5 * minuteMs;
/** A gateway signs with two secrets while they change hands. */
const maxSignatures = 5;

const sandboxEvent = z.object({
  id: z.string().regex(/^[\w-]{1,100}$/),
  type: z.string().min(1).max(100),
  data: z.unknown().optional(),
});

const sandboxSubject = z.object({
  object: z.enum(["payment", "refund"]),
  reference: z.string().min(1).max(100),
});

/**
 * `sandbox-signature: t=<seconds>,v1=<hex>[,v1=<hex>]`, each an HMAC-SHA256 over `<seconds>.<body>`. The bytes are checked as they came:
 * JSON that was read and written again is another message.
 */
export function readSandboxNotice(
  secrets: readonly string[],
  body: Uint8Array,
  headers: Readonly<Record<string, string | undefined>>,
  now: Date,
): ProviderNotice {
  const { seconds, signatures } = readHeader(headers[header]);
  if (!isSigned(secrets, signatures, seconds, body)) throw new NoticeRefused("No signature fits.");
  if (Math.abs(now.getTime() - Number(seconds) * secondMs) > toleranceMs) {
    throw new NoticeRefused("The signature is too old, or of a later time.");
  }
  const event = sandboxEvent.safeParse(parse(body));
  if (!event.success) throw new NoticeRefused("The notice cannot be read.");
  const { id, type, data } = event.data;
  const subject = sandboxSubject.safeParse(data);
  return {
    eventId: id,
    type,
    subject: subject.success ? { type: subject.data.object, reference: subject.data.reference } : null,
  };
}

interface SignatureHeader {
  /** As it was sent, because so it was signed. */
  readonly seconds: string;
  readonly signatures: readonly Buffer[];
}

function readHeader(value: string | undefined): SignatureHeader {
  const match = /^t=(\d{1,12})((?:,v1=[0-9a-f]{64})+)$/.exec(value ?? "");
  const signatures = match?.[2]?.split(",v1=").slice(1) ?? [];
  if (match?.[1] === undefined || signatures.length > maxSignatures) throw new NoticeRefused("It is not signed.");
  return { seconds: match[1], signatures: signatures.map((text) => Buffer.from(text, "hex")) };
}

function isSigned(
  secrets: readonly string[],
  signatures: readonly Buffer[],
  seconds: string,
  body: Uint8Array,
): boolean {
  return secrets.some((secret) => {
    const expected = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest();
    return signatures.some((signature) => timingSafeEqual(signature, expected));
  });
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown;
  } catch {
    throw new NoticeRefused("The notice is no JSON.");
  }
}
