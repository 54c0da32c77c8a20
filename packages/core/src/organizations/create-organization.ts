import { organizations } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import {
  authorize,
  checkName,
  checkSlug,
  getOrganization,
  insertOrganization,
  lockFounder,
  refuseTakenSlug,
} from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import { type CoreContext, organizationOf, type Tx } from "../context.ts";
import { assert, DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { once } from "../idempotency/index.ts";
import type { MembershipView } from "./list-organizations.ts";
import { maxOwnedOrganizations } from "./member.ts";

export interface CreateOrganization {
  readonly name: string;
  readonly slug?: string | undefined;
  readonly idempotencyKey: string;
}

/**
 * Makes an organization that the actor owns. Two transactions, because each is bound to one organization: the first gives the
 * key its id, in the organization that the actor speaks for; the second makes what has that id, unless it is there. Throws
 * INVALID_INPUT, CONFLICT for a slug that is taken, and QUOTA_EXCEEDED.
 */
export async function createOrganization(ctx: CoreContext, input: CreateOrganization): Promise<MembershipView> {
  const { actor } = ctx;
  authorize(actor, "organization.create");
  assert(actor.type === "user", "only a user owns an organization");
  const { userId } = actor;
  const { idempotencyKey: key, ...request } = input;
  const name = checkName(input.name, "name");
  const slug = input.slug === undefined ? undefined : checkSlug(input.slug);
  const { organizationId } = await once(
    ctx,
    { key, procedure: "organizations.create", input: { ...request, userId } },
    () => Promise.resolve({ organizationId: ctx.ids.next() }),
  );
  const bound = ctx.as(userActor(userId, "owner")).forOrganization(organizationId);
  const work = bound.transaction(async (tx) => {
    const { ownedOrganizations } = await lockFounder(tx, userId);
    if (!(await isMade(tx))) {
      if (ownedOrganizations >= maxOwnedOrganizations) throw tooMany();
      await insertOrganization(tx, { name, ownerId: userId, slug });
      const organization = await getOrganization(tx);
      record(tx, {
        type: "organization.created",
        subject: { type: "organization", id: organizationId },
        after: organization,
      });
    }
    return { organization: await getOrganization(tx), role: "owner" as const };
  });
  return refuseTakenSlug(work);
}

async function isMade(tx: Tx): Promise<boolean> {
  return (await tx.sql.$count(organizations, eq(organizations.id, organizationOf(tx)))) > 0;
}

function tooMany(): DomainError {
  return new DomainError("QUOTA_EXCEEDED", `A user owns at most ${maxOwnedOrganizations} organizations.`);
}
