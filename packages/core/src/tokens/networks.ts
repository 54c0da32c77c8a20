import { BlockList, isIP, isIPv4 } from "node:net";
import { mappedPrefix, plainAddress } from "../addresses.ts";
import { DomainError } from "../errors.ts";

export const maxNetworks = 20;

const widths = { 4: 32, 6: 128 } as const;

/**
 * Networks as they are stored: `192.0.2.0/24`, `2001:db8::/32`; an address alone is a network of one. Throws INVALID_INPUT, with the
 * place of each that is none.
 */
export function checkNetworks(networks: readonly string[]): readonly string[] {
  const checked = networks.map((text) => normalizeNetwork(text.trim()));
  const issues = checked.flatMap((network, index) =>
    network === null
      ? [{ path: `allowedNetworks.${index}`, message: "Write a network as 192.0.2.0/24 or 2001:db8::/32." }]
      : [],
  );
  const known = [...new Set(checked.filter((network) => network !== null))];
  if (issues.length > 0) throw new DomainError("INVALID_INPUT", "Not all of these are networks.", { issues });
  if (known.length <= maxNetworks) return known;
  const message = `Name at most ${maxNetworks} networks.`;
  throw new DomainError("INVALID_INPUT", message, { issues: [{ path: "allowedNetworks", message }] });
}

/** Whether a client may come from there. With networks to choose from, an address that nobody could tell is in none. */
export function isFromAllowed(networks: readonly string[], address: string | null): boolean {
  if (networks.length === 0) return true;
  const from = plainAddress(address);
  if (from === null) return false;
  const isV4 = isIPv4(from);
  const list = new BlockList();
  for (const network of networks) {
    const [base = "", width = ""] = network.split("/");
    // Node takes IPv4 for a part of IPv6, so that whoever lets in `::/64` would let in all of it.
    if (isIPv4(base) === isV4) list.addSubnet(base, Number(width), isV4 ? "ipv4" : "ipv6");
  }
  return list.check(from, isV4 ? "ipv4" : "ipv6");
}

function normalizeNetwork(text: string): string | null {
  const [, base = "", digits] = /^([0-9a-f:.]{2,45})(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const version = isIP(base);
  // IPv4 is written as IPv4: as a part of IPv6 it would never be come from.
  if ((version !== 4 && version !== 6) || mappedPrefix.test(base)) return null;
  const width = digits === undefined ? widths[version] : Number(digits);
  return width > widths[version] ? null : `${base.toLowerCase()}/${width}`;
}
