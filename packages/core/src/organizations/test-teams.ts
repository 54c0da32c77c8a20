import { members } from "@sewa/db/schema";
import type { CoreContext } from "../context.ts";
import type { MemberRole } from "../roles.ts";
import type { TestCore } from "../testing/test-core.ts";
import { createInvitation, mintInvitationLink } from "./index.ts";

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
