import { belonging } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import { door } from "../accounts/index.ts";
import type { Tx } from "../context.ts";
import type { MemberRole } from "../roles.ts";

/** More than anybody belongs to. */
const most = 10_000;

/** Whatever the user belongs to, in the order of the organizations' ids. */
export function listMemberships(
  tx: Pick<Tx, "sql">,
  userId: string,
): Promise<readonly { readonly id: string; readonly role: MemberRole }[]> {
  return tx.sql
    .select({ id: belonging.id, role: belonging.role })
    .from(door(sql`memberships_of(${userId}, null, ${most})`, "belonging"));
}
