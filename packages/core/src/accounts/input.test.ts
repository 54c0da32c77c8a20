import { expect, test } from "vitest";
import type { Actor } from "../actor.ts";
import { DomainError } from "../errors.ts";
import { checkName, checkPassword, normalizeEmail } from "./input.ts";
import { authorize, isAllowed, type Permission, permissionTable } from "../permissions.ts";

function pathOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof DomainError && error.code === "INVALID_INPUT") return error.issues[0]?.path;
    throw error;
  }
  return undefined;
}

test.each([
  ["  Ana@Example.COM\n", "ana@example.com"],
  ["a.b+tag@mail.example.co.id", "a.b+tag@mail.example.co.id"],
  ["Jose\u0301@example.com", "jos\u00e9@example.com"],
  ["JOS\u00c9@example.com", "jos\u00e9@example.com"],
  ["ana@B\u00dcCHER.de", "ana@xn--bcher-kva.de"],
])("B24 %j is stored and compared as %j", (input, expected) => {
  expect(normalizeEmail(input)).toBe(expected);
  expect(normalizeEmail(expected)).toBe(expected);
});

test.each([
  "",
  "ana",
  "a@b",
  "@example.com",
  "ana@",
  "a b@c.de",
  "a@b@c.de",
  "ana@example.com/x.de",
  "ana@127.0.0.1",
  "ana@127.1",
  "ana@[::1]",
  "ana@-x.de",
  "ana@x..de",
  ".ana@example.com",
  "a\r\nBcc:x@y.zz",
  "a\u0000@example.com",
  "Ana <ana@example.com>",
  `${"a".repeat(65)}@example.com`,
  `ana@${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example.com`,
  "a".repeat(1_000_000),
])("B23 an address that no mail server would take is refused (%#)", (input) => {
  expect(pathOf(() => normalizeEmail(input))).toBe("email");
});

test("B26 a password has 8 to 128 characters, whatever they are, and is not the address", () => {
  const email = "ana@example.com";
  expect(pathOf(() => checkPassword("1234567", email))).toBe("password");
  expect(pathOf(() => checkPassword("x".repeat(129), email))).toBe("password");
  expect(pathOf(() => checkPassword("x".repeat(1_000_000), email))).toBe("password");
  expect(pathOf(() => checkPassword("ANA@example.com", email))).toBe("password");
  expect(checkPassword("82736451", email)).toBe("82736451");
  expect(checkPassword("\u{1F40E}".repeat(128), email)).toHaveLength(256);
});

test.each(["password", "PassWord123", "12345678", "qwertyuiop", "ana@example.com"])(
  "B27 the password %s, which is guessed first, is refused",
  (password) => {
    expect(pathOf(() => checkPassword(password, "ana@example.com"))).toBe("password");
  },
);

test("a name stays on one line", () => {
  expect(checkName("  Ana Maria ", "name")).toBe("Ana Maria");
  for (const name of ["", "   ", "x".repeat(101), "Ana\nBcc: x", "Ana\u2028x", "\u202eanA"]) {
    expect(pathOf(() => checkName(name, "organizationName"))).toBe("organizationName");
  }
});

test("each actor may do exactly what its role says", () => {
  const user = { type: "user", userId: "u", role: "owner" } as const;
  const operator = { type: "operator", userId: "u" } as const;
  const system = { type: "system", name: "worker" } as const;
  const anonymous = { type: "anonymous" } as const;
  const permissions = Object.keys(permissionTable) as Permission[];
  const allowed = (actor: Actor) => permissions.filter((permission) => isAllowed(actor, permission));
  const ofOperators = permissions.filter((permission) => permission.startsWith("admin."));
  expect(ofOperators).toContain("admin.nodes.write");
  expect(allowed(system)).toEqual(permissions);
  expect(allowed(anonymous)).toEqual(["catalog.read"]);
  expect(allowed(user)).toEqual(permissions.filter((permission) => !ofOperators.includes(permission)));
  expect(allowed(operator)).toEqual(["catalog.read", ...ofOperators]);
  expect(() => authorize(user, "order.place")).not.toThrow();
  expect(() => authorize(anonymous, "order.place")).toThrow(expect.objectContaining({ code: "FORBIDDEN" }));
});
