import { users } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { acrossOrganizations } from "../across.ts";
import { authorize } from "../accounts/index.ts";
import type { CoreContext, Tx } from "../context.ts";
import { notFound } from "../errors.ts";
import { listMemberships } from "./memberships.ts";
import { findStanding, type ObstacleCode, type Standing } from "./standing.ts";

/** What stays after a deletion, and why: told before it and tested after it. */
export const keptThings = {
  invoices: "accounting",
  payments: "accounting",
  ledger: "accounting",
  audit: "security",
  trials: "fairness",
  answers: "two_days",
} as const;
export type KeptThing = keyof typeof keptThings;

export interface DeletionPreview {
  /** Of the user, not of one organization. */
  readonly obstacles: readonly ObstacleCode[];
  readonly organizations: readonly Standing[];
}

/** What would go with an account, what would stay and what stands in the way. Throws NOT_FOUND. */
export async function previewDeletion(ctx: CoreContext, userId: string): Promise<DeletionPreview> {
  authorizeDeletion(ctx, userId);
  return ctx.transaction(async (tx) => {
    if (ctx.actor.type !== "user" && !(await isLiving(tx, userId))) throw notFound("user");
    return { obstacles: await findOwnObstacles(tx, userId), organizations: await weigh(tx, userId) };
  });
}

/** A user for themselves; operators for everybody. */
export function authorizeDeletion({ actor }: CoreContext, userId: string): void {
  authorize(actor, actor.type === "user" && actor.userId === userId ? "account.write" : "admin.users.delete");
}

/** Locks all operators, in order of their ids, where the user is one: of two who go at once, one stays. */
export async function findOwnObstacles(tx: Tx, userId: string): Promise<readonly ObstacleCode[]> {
  const [user] = await tx.sql.select({ isOperator: users.isOperator }).from(users).where(eq(users.id, userId));
  if (user?.isOperator !== true) return [];
  const atWork = await tx.sql.execute<{ id: string }>(sql`select lock_operators() as id`);
  return atWork.length === 1 && atWork[0]?.id === userId ? ["LAST_OPERATOR"] : [];
}

async function weigh(tx: Tx, userId: string): Promise<readonly Standing[]> {
  const across = acrossOrganizations(tx);
  const standings: Standing[] = [];
  for (const { id } of await listMemberships(tx, userId)) {
    const standing = await across.in(id, (inner) => findStanding(inner, userId));
    if (standing !== null) standings.push(standing);
  }
  return standings;
}

async function isLiving(tx: Tx, userId: string): Promise<boolean> {
  const [user] = await tx.sql.select({ deletedAt: users.deletedAt }).from(users).where(eq(users.id, userId));
  return user?.deletedAt === null;
}
