import { expect, test } from "vitest";
import { DomainError } from "../errors.ts";
import { plainAddress } from "../addresses.ts";
import { checkNetworks, isFromAllowed, maxNetworks } from "./networks.ts";

test.each([
  ["192.0.2.0/24", "192.0.2.0/24"],
  [" 192.0.2.7 ", "192.0.2.7/32"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["2001:DB8::/32", "2001:db8::/32"],
  ["2001:db8::1", "2001:db8::1/128"],
  ["::/0", "::/0"],
])("%s is the network %s", (typed, network) => {
  expect(checkNetworks([typed, typed])).toEqual([network]);
});

test.each([
  "",
  "example.com",
  "192.0.2.0/33",
  "192.0.2.0/",
  "192.0.2.0/-1",
  "192.0.2.0/24/8",
  "192.0.2/24",
  "192.0.2.256",
  "010.0.0.1",
  "0x7f.0.0.1",
  "2001:db8::/129",
  "2001:db8:::1",
  "fe80::1%eth0",
  "[::1]",
  "::ffff:192.0.2.1",
  "::ffff:192.0.2.0/120",
  "192.0.2.1:80",
  "' or 1=1",
])("'%s' is no network, and is named by its place", (typed) => {
  const attempt = (): unknown => checkNetworks(["192.0.2.0/24", typed]);
  expect(attempt).toThrow(DomainError);
  expect(attempt).toThrow(
    expect.objectContaining({
      code: "INVALID_INPUT",
      issues: [{ path: "allowedNetworks.1", message: expect.any(String) as string }],
    }) as Error,
  );
});

test("so many networks and no more", () => {
  const networks = Array.from({ length: maxNetworks + 1 }, (_, index) => `10.0.${index}.0/24`);
  expect(checkNetworks(networks.slice(1))).toHaveLength(maxNetworks);
  expect(() => checkNetworks(networks)).toThrow("Name at most 20 networks.");
});

const office = ["192.0.2.0/24", "2001:db8:1::/48", "203.0.113.9/32"];

test.each([
  ["192.0.2.0", true],
  ["192.0.2.255", true],
  ["192.0.3.0", false],
  ["203.0.113.9", true],
  ["203.0.113.10", false],
  ["::ffff:192.0.2.1", true],
  ["::FFFF:192.0.3.1", false],
  ["2001:db8:1::1", true],
  ["2001:DB8:1:ffff:ffff:ffff:ffff:ffff", true],
  ["2001:db8:2::1", false],
  ["192.0.2.1, 203.0.113.9", false],
  ["192.0.2.1:443", false],
  ["unknown", false],
  ["", false],
  [null, false],
])("from %s it is %s", (address, isGood) => {
  expect(isFromAllowed(office, address)).toBe(isGood);
  expect(isFromAllowed([], address)).toBe(true);
});

test("bits behind the width of a network say nothing, and IPv4 is in no network of IPv6", () => {
  expect(isFromAllowed(checkNetworks(["10.1.2.3/8"]), "10.200.0.1")).toBe(true);
  expect(isFromAllowed(["0.0.0.0/0"], "2001:db8::1")).toBe(false);
  for (const network of ["::/0", "::/64"]) expect(isFromAllowed([network], "192.0.2.1")).toBe(false);
  expect(plainAddress("fe80::1%eth0")).toBe("fe80::1");
});
