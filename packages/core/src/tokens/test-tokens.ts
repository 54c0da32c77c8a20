import { members } from "@sewa/db/schema";
import { userActor } from "../actor.ts";
import { type CoreContext, createContext } from "../context.ts";
import { DomainError } from "../errors.ts";
import type { MemberRole } from "../roles.ts";
import { givenCustomer } from "../testing/given.ts";
import { serverDatabases, type TestCore } from "../testing/test-core.ts";

interface Member {
  readonly userId: string;
  /** Acting in the organization. */
  readonly ctx: CoreContext;
  /** Their own organization. */
  readonly homeId: string;
}

/** An organization with its owner, and one member of each of the roles that are named. */
export async function givenMembers<Role extends MemberRole>(
  core: TestCore,
  ...roles: readonly Role[]
): Promise<{
  readonly organizationId: string;
  readonly owner: CoreContext;
  readonly ownerId: string;
  readonly member: Readonly<Record<Role, Member>>;
}> {
  const { ctx: owner, organizationId, userId: ownerId } = await givenCustomer(core.ctx);
  const db = serverDatabases.get(core.database) ?? core.database;
  const member: Partial<Record<Role, Member>> = {};
  for (const role of roles) {
    const { userId, organizationId: homeId } = await givenCustomer(core.ctx);
    await core.database.drizzle.insert(members).values({ organizationId, userId, role });
    const ctx = createContext({ ...core.ctx, db }, { actor: userActor(userId, role), organizationId });
    member[role] = { userId, ctx, homeId };
  }
  return { organizationId, owner, ownerId, member: member as Record<Role, Member> };
}

/** The refusal that a promise ends with; fails when it ends well or with a defect. */
export async function refusal(promise: Promise<unknown>): Promise<DomainError> {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (outcome instanceof DomainError) return outcome;
  throw new Error("Expected a refusal.", { cause: outcome });
}
