import { createHmac } from "node:crypto";

export const signatureHeader = "sandbox-signature";

/** `t=<seconds since 1970>,v1=<hex>`, with one v1 for each secret: HMAC-SHA256 over `<seconds>.<body as it is sent>`. */
export function sign(body: string, secrets: readonly string[], atMs: number): string {
  const seconds = Math.floor(atMs / 1_000);
  const signatures = secrets.map(
    (secret) => `v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`,
  );
  return [`t=${seconds}`, ...signatures].join(",");
}
