import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Actor } from "./actor.ts";
import {
  authorize,
  impersonable,
  isAllowed,
  isImpersonable,
  type MemberPermission,
  type Permission,
  permissionTable,
} from "./permissions.ts";
import { isAtLeast, type MemberRole, memberRoles } from "./roles.ts";
import { scopeOf, tokenScopeNames, tokenScopes } from "./scopes.ts";

const page = fileURLToPath(new URL("../../../docs/permissions.md", import.meta.url));
const permissions = Object.keys(permissionTable) as readonly Permission[];
const ofMembers = permissions.filter((permission) => !permission.startsWith("admin.") && permission !== "catalog.read");
const member = (role: MemberRole): Actor => ({ type: "user", userId: "", role });
const actors: Readonly<Record<string, Actor>> = {
  anonymous: { type: "anonymous" },
  ...Object.fromEntries(memberRoles.map((role) => [role, member(role)])),
  operator: { type: "operator", userId: "" },
};
const acting: Actor = { type: "user", userId: "", role: "owner", impersonator: { operatorId: "" } };
const allowed = (role: MemberRole): readonly Permission[] =>
  permissions.filter((permission) => isAllowed(member(role), permission));

test("docs/permissions.md says what the table says; printed anew with --update", async () => {
  const head = ["permission", ...Object.keys(actors), "operator as owner", "scope of tokens"];
  const lines = permissions.map((permission) => [
    `\`${permission}\``,
    ...Object.values(actors).map((actor) => (isAllowed(actor, permission) ? "yes" : "")),
    isAllowed(acting, permission) ? "yes" : "",
    scopeOf(permission) ?? "",
  ]);
  const widths = head.map((_, at) => Math.max(...[head, ...lines].map((line) => line[at]?.length ?? 0)));
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const text = [
    "# Permissions",
    "",
    "Who may do what, printed from [permissions.ts](../packages/core/src/permissions.ts) by its test. Do not edit.",
    "",
    "Those of members speak of the organization that a call is about: what the header `sewa-organization` names (on a WebSocket the",
    "connection parameter `organization`), else the caller's oldest membership. Who is no member there gets `NOT_FOUND`, as for an organization",
    "that nobody has; a member whose role lacks the permission gets `FORBIDDEN`. What makes an app dearer also takes `order.place`, and",
    "removing one `subscription.cancel`. Nobody gives a role above their own, or takes one from somebody above them; an organization",
    "keeps an owner. The operator's speak of the house and of no organization.",
    "",
    "An API token acts as the member who made it: what their role may at the time of the call, and of that what its scopes hold; else it",
    "gets `TOKEN_SCOPE`. What is in no scope takes a person who has logged in, and so do calls that are about oneself beyond one organization.",
    "",
    "An operator who acts as a customer (`admin.users.impersonate`) may what that member may, and of that what has a `yes` under `operator as",
    "owner`; else they get `NOT_WHILE_IMPERSONATING`, and it is written down.",
    "",
    ...tokenScopeNames.map((scope) => `- \`${scope}\`: ${tokenScopes[scope]}`),
    "",
    row(head),
    row(widths.map((width) => "-".repeat(width))),
    ...lines.map(row),
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot(page);
});

test("an owner may everything in their organization, and whoever stands above may what those below may", () => {
  expect(allowed("owner")).toEqual(["catalog.read", ...ofMembers]);
  for (const [role, other] of memberRoles.flatMap((one) => memberRoles.map((two) => [one, two] as const))) {
    const missing = isAtLeast(role, other) ? allowed(other).filter((each) => !allowed(role).includes(each)) : [];
    expect({ role, other, missing }).toEqual({ role, other, missing: [] });
  }
  expect(allowed("owner").filter((permission) => !allowed("admin").includes(permission))).toEqual([
    "organization.transfer",
  ]);
});

test("who only looks changes nothing and sees no secret; a developer spends nothing; who pays orders nothing", () => {
  // An account is everybody's own.
  const harmless = /\.(read|leave)$|^organization\.create$|^account\.write$/;
  expect(allowed("viewer").filter((permission) => !harmless.test(permission))).toEqual([]);
  const beyond = (role: MemberRole): readonly Permission[] =>
    allowed(role).filter((permission) => !allowed("viewer").includes(permission));
  expect(beyond("developer")).toEqual([
    "token.read",
    "token.write",
    "instance.operate",
    "instance.change",
    "instance.readLogs",
    "instance.revealCredentials",
  ]);
  expect(beyond("billing")).toEqual([
    "subscription.renew",
    "coupon.apply",
    "payment.write",
    "wallet.write",
    "usage.write",
  ]);
});

test("nobody but operators has a permission of operators, and operators have none of members", () => {
  const holders = (permission: Permission): readonly string[] =>
    Object.entries(actors).flatMap(([name, actor]) => (isAllowed(actor, permission) ? [name] : []));
  for (const permission of ofMembers) expect(holders(permission)).not.toContain("operator");
  const ofOperators = permissions.filter((permission) => permission.startsWith("admin."));
  for (const permission of ofOperators) expect(holders(permission)).toEqual(["operator"]);
});

test("a role that is none has nothing", () => {
  const nobody = { type: "user", userId: "", role: "root" } as unknown as Actor;
  for (const permission of ofMembers) expect(() => authorize(nobody, permission)).toThrow("You may not do this.");
  // A permission of the operators is not one of the members.
  // @ts-expect-error
  const wrong: MemberPermission = "admin.nodes.write";
  expect(permissions).toContain(wrong);
});

const token = (role: MemberRole, ...scopes: (typeof tokenScopeNames)[number][]): Actor => ({
  type: "user",
  userId: "",
  role,
  token: { id: "", scopes },
});

test("a token may what its scopes hold of what its member may now, and never more than the member", () => {
  for (const role of memberRoles) {
    for (const scope of tokenScopeNames) {
      const mine = permissions.filter((permission) => isAllowed(token(role, scope), permission));
      expect(mine).toEqual(allowed(role).filter((permission) => scopeOf(permission) === scope));
    }
    const all = permissions.filter((permission) => isAllowed(token(role, ...tokenScopeNames), permission));
    expect(all).toEqual(allowed(role).filter((permission) => scopeOf(permission) !== null));
    expect(permissions.filter((permission) => isAllowed(token(role), permission))).toEqual([]);
  }
});

test("no token makes tokens, changes who is a member, hands an organization over or reaches the operators'", () => {
  const closed = permissions.filter((permission) => scopeOf(permission) === null);
  expect(closed.filter((permission) => !permission.startsWith("admin."))).toEqual([
    "account.read",
    "account.write",
    "organization.create",
    "organization.leave",
    "organization.transfer",
    "member.write",
    "invitation.write",
    "token.read",
    "token.write",
  ]);
  expect(closed).toEqual(expect.arrayContaining(permissions.filter((permission) => permission.startsWith("admin."))));
  const harmless = permissions.filter((permission) => scopeOf(permission) === "read");
  expect(harmless.filter((permission) => !permission.endsWith(".read"))).toEqual([]);
  expect(permissions.filter((permission) => scopeOf(permission) === "credentials")).toEqual([
    "instance.revealCredentials",
  ]);
});

test("who is refused is told what is missing: the role first, then the scope", () => {
  const refused = (actor: Actor, permission: Permission): unknown => {
    try {
      authorize(actor, permission);
      return null;
    } catch (error) {
      return error;
    }
  };
  expect(refused(token("viewer", "apps"), "instance.operate")).toMatchObject({ code: "FORBIDDEN" });
  expect(refused(token("owner", "read"), "instance.operate")).toMatchObject({
    code: "TOKEN_SCOPE",
    message: 'This API token lacks the scope "apps".',
  });
  expect(refused(token("owner", ...tokenScopeNames), "token.write")).toMatchObject({
    code: "TOKEN_SCOPE",
    message: "No API token may do this. Log in.",
  });
  expect(refused(token("owner", "apps"), "instance.operate")).toBeNull();
});

test("an operator who acts as a customer looks and helps: no money, no secret, no way in, no end, and never more than the member", () => {
  for (const role of memberRoles) {
    const asRole = { ...acting, role } as Actor;
    const mine = permissions.filter((permission) => isAllowed(asRole, permission));
    expect(mine).toEqual(allowed(role).filter(isImpersonable));
  }
  const more = impersonable.filter((permission) => !permission.endsWith(".read"));
  expect(more).toEqual(["instance.operate", "instance.change", "instance.readLogs"]);
  expect(() => authorize(acting, "payment.write")).toThrow("An operator who acts as a customer may not do this.");
  expect(() => authorize({ ...acting, role: "viewer" } as Actor, "payment.write")).toThrow("You may not do this.");
});
