import { randomUUID } from "node:crypto";
import type { RouterInputs } from "@sewa/api";
import { type MemberRole, memberRoles } from "@sewa/core";
import { Argument, type Command } from "commander";
import { listAll, withApi } from "../client.ts";
import { confirming } from "../confirming.ts";
import { formatTime, type JsonOption, leaf, show, table } from "../output.ts";

/** With whom customers work together. */
export function addOrganizationCommands(program: Command): void {
  const organizations = program.command("organizations").description("what you belong to");
  leaf(organizations, "list", "your organizations and what you are there").action(list);
  leaf(organizations, "create <name>", "make one that you own")
    .option("--slug <slug>", "its name in addresses; random unless told")
    .action(create);
  leaf(organizations, "leave", "end your membership").action(leave);
  const members = program.command("members").description("who belongs to the organization");
  leaf(members, "list", "members and what they are").action(listMembers);
  leaf(members, "role <user>", "say what a member is from now on").addArgument(role()).action(changeRole);
  leaf(members, "remove <user>", "take somebody out").action(remove);
  leaf(members, "invite <email>", "ask somebody to join, by mail").addArgument(role()).action(invite);
  leaf(members, "invitations", "who was asked, newest first").action(listInvitations);
  leaf(members, "revoke <invitation>", "take an invitation back").action(revoke);
  leaf(members, "transfer <user>", "make another member the owner, and yourself an admin").action(transfer);
}

const role = (): Argument => new Argument("<role>", "what they may").choices(memberRoles);

async function list(options: JsonOption): Promise<void> {
  const items = await withApi(({ api }) => listAll((page) => api.organizations.list.query(page)));
  const rows = items.map(({ organization, role: mine }) => ({
    id: organization.id,
    name: organization.name,
    slug: organization.slug,
    role: mine,
  }));
  show(options, items, () => table(rows, "You belong to no organization."));
}

async function create(name: string, options: JsonOption & { readonly slug?: string }): Promise<void> {
  const { slug } = options;
  const made = await withApi(({ api }) =>
    api.organizations.create.mutate({ name, slug, idempotencyKey: randomUUID() }),
  );
  show(options, made, () => `${made.organization.name} is made: ${made.organization.id}`);
}

async function leave(options: JsonOption): Promise<void> {
  const member = await withApi(({ api }) => api.organizations.leave.mutate());
  show(options, member, () => `${member.email} is a member no longer.`);
}

async function listMembers(options: JsonOption): Promise<void> {
  const items = await withApi(({ api }) => listAll((page) => api.organizations.members.list.query(page)));
  const rows = items.map(({ joinedAt, ...member }) => ({ ...member, joined: formatTime(joinedAt) }));
  show(options, items, () => table(rows, "Nobody."));
}

async function changeRole(userId: string, to: MemberRole, options: JsonOption): Promise<void> {
  const member = await withApi(({ api }) => api.organizations.members.changeRole.mutate({ userId, role: to }));
  show(options, member, () => `${member.email} is ${member.role}.`);
}

async function remove(userId: string, options: JsonOption): Promise<void> {
  const input = { userId, idempotencyKey: randomUUID() };
  const member = await withApi(({ api }) => api.organizations.members.remove.mutate(input));
  show(options, member, () => `${member.email} is a member no longer.`);
}

async function invite(email: string, to: MemberRole, options: JsonOption): Promise<void> {
  const input: RouterInputs["organizations"]["invitations"]["create"] = {
    email,
    role: to,
    idempotencyKey: randomUUID(),
  };
  const invitation = await withApi(({ api }) => api.organizations.invitations.create.mutate(input));
  show(options, invitation, () => `${invitation.email} is invited until ${formatTime(invitation.expiresAt)}.`);
}

async function listInvitations(options: JsonOption): Promise<void> {
  const items = await withApi(({ api }) => listAll((page) => api.organizations.invitations.list.query(page)));
  const rows = items.map(({ id, email, role: to, status, inviterName, expiresAt }) => ({
    id,
    email,
    role: to,
    status,
    by: inviterName,
    until: formatTime(expiresAt),
  }));
  show(options, items, () => table(rows, "Nobody was invited."));
}

async function revoke(invitationId: string, options: JsonOption): Promise<void> {
  const invitation = await withApi(({ api }) => api.organizations.invitations.revoke.mutate({ invitationId }));
  show(options, invitation, () => `The invitation of ${invitation.email} is ${invitation.status}.`);
}

async function transfer(userId: string, options: JsonOption): Promise<void> {
  const member = await withApi((session) =>
    confirming(session, ({ api }) => api.organizations.transferOwnership.mutate({ userId })),
  );
  show(options, member, () => `${member.email} is the owner now.`);
}
