import { isIP } from "node:net";

/** How IPv4 is written as a part of IPv6. */
export const mappedPrefix = /^::ffff:(?=\d+\.)/i;

/** An address as a network names it: one of IPv4 that came over IPv6 is one of IPv4. Null for what is no address. */
export function plainAddress(address: string | null): string | null {
  const plain = (address ?? "").replace(mappedPrefix, "").replace(/%.*$/, "").toLowerCase();
  return isIP(plain) === 0 ? null : plain;
}
