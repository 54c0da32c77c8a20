import { BlockList, isIP } from "node:net";

/** Everything of version 4 that is not somebody's public address: this machine, private and shared networks, metadata, multicast. */
const closed4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Azure answers its machines here, and only them.
  "168.63.129.16/32",
];
/** Version 6 is the other way round: only what is given out to the public is open, less what stands for something else in it. */
const open6 = ["2000::/3"];
const closed6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const publicRules = { closed4: toList(closed4), open6: toList(open6), closed6: toList(closed6) };

/** Ranges that an operator opens beside the public ones, such as `10.0.0.0/8`. Throws for what is no range. */
export type Ranges = BlockList;

export function toList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix = "", ...rest] = range.split("/");
    const family = isIP(address);
    const bits = Number(prefix);
    const most = family === 4 ? 32 : 128;
    if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefix) || bits > most)
      throw new Error(`"${range}" is no range such as 10.0.0.0/8.`);
    list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** `address` as a resolver or a URL's host writes it. What cannot be read is not public. */
export function isPublic(address: string): boolean {
  switch (familyOf(address)) {
    case 4:
      return !publicRules.closed4.check(address, "ipv4");
    case 6:
      return publicRules.open6.check(address, "ipv6") && !publicRules.closed6.check(address, "ipv6");
    default:
      return false;
  }
}

export function isIn(ranges: Ranges, address: string): boolean {
  const family = familyOf(address);
  // Version 4 in the dress of version 6 would be taken for its range: it is refused, and nobody needs it.
  if (family === 0 || (family === 6 && mapped.check(address, "ipv6"))) return false;
  return ranges.check(address, family === 4 ? "ipv4" : "ipv6");
}

const mapped = toList(["::ffff:0:0/96"]);

/** Zero for none, and for one with a zone: that is an address on a link of this machine. */
function familyOf(address: string): number {
  return address.includes("%") ? 0 : isIP(address);
}
