import { BlockList, isIP } from "node:net";

/** Whether an address lies in a range. Addresses of the other family never do. Throws for what is no address or range. */
export function contains(cidr: string, address: string): boolean {
  const [network = "", prefix = ""] = cidr.split("/");
  if (isIP(network) === 0 || !/^\d{1,3}$/.test(prefix)) throw new Error(`${cidr} is no range of addresses.`);
  if (isIP(address) === 0) throw new Error(`${address} is no address.`);
  if (isIP(network) !== isIP(address)) return false;
  const family = isIP(network) === 4 ? "ipv4" : "ipv6";
  const range = new BlockList();
  range.addSubnet(network, Number(prefix), family);
  return range.check(address, family);
}
