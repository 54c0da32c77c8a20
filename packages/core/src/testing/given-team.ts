import { members } from "@sewa/db/schema";
import { userActor } from "../actor.ts";
import { type CoreContext, createContext } from "../context.ts";
import { createInvitation, mintInvitationLink } from "../organizations/index.ts";
import type { MemberRole } from "../roles.ts";
import { givenCustomer } from "./given.ts";
import { serverDatabases, type TestCore } from "./test-core.ts";

/** A verified user with an organization of their own; `email` as the house knows it. */
export interface Person {
  readonly userId: string;
  readonly email: string;
  readonly home: CoreContext;
  readonly homeId: string;
  /** Acting as this user elsewhere. */
  in(organizationId: string, role: MemberRole): CoreContext;
}

export async function givenPerson(core: TestCore): Promise<Person> {
  const { ctx, userId, organizationId: homeId } = await givenCustomer(core.ctx);
  const db = serverDatabases.get(core.database) ?? core.database;
  return {
    userId,
    email: `${userId}@customer.test`,
    home: ctx,
    homeId,
    in: (organizationId, role) =>
      createContext({ ...core.ctx, db }, { actor: userActor(userId, role), organizationId }),
  };
}

/** An organization with its owner, and one member of each of the roles that are named. */
export async function givenTeam<Role extends MemberRole>(
  core: TestCore,
  ...roles: readonly Role[]
): Promise<{
  readonly organizationId: string;
  readonly owner: CoreContext;
  readonly ownerId: string;
  readonly member: Readonly<Record<Role, Person & { readonly ctx: CoreContext }>>;
}> {
  const { ctx: owner, organizationId, userId: ownerId } = await givenCustomer(core.ctx);
  const member: Partial<Record<Role, Person & { readonly ctx: CoreContext }>> = {};
  for (const role of roles) {
    const person = await givenPerson(core);
    await core.database.drizzle.insert(members).values({ organizationId, userId: person.userId, role });
    member[role] = { ...person, ctx: person.in(organizationId, role) };
  }
  return { organizationId, owner, ownerId, member: member as Record<Role, Person & { readonly ctx: CoreContext }> };
}

/** Invites, and reads the mail. */
export async function invite(
  core: TestCore,
  ctx: CoreContext,
  email: string,
  role: MemberRole = "developer",
): Promise<{ readonly invitationId: string; readonly token: string }> {
  const { id } = await createInvitation(ctx, { email, role, idempotencyKey: ctx.ids.next() });
  return { invitationId: id, token: await readLink(core, id) };
}

export async function readLink(core: TestCore, invitationId: string): Promise<string> {
  const link = await mintInvitationLink(core.ctx, invitationId);
  const token = link === null ? null : new URL(link).searchParams.get("token");
  if (token === null) throw new Error("No link was made.");
  return token;
}

export async function rolesIn(core: TestCore, organizationId: string): Promise<Readonly<Record<string, MemberRole>>> {
  const rows = await core.database.drizzle.select().from(members);
  return Object.fromEntries(
    rows.filter((row) => row.organizationId === organizationId).map(({ userId, role }) => [userId, role]),
  );
}
