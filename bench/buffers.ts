import { type CoreContext, createContext } from "@sewa/core";
import { type SQL, sql } from "drizzle-orm";

interface Explained {
  readonly "QUERY PLAN": readonly { readonly Plan: Readonly<Record<string, number>> }[];
}

/** Pages that the verb's statements touch outside of transactions. They are carried out, and answer nothing. */
export async function buffersOf(ctx: CoreContext, verb: (ctx: CoreContext) => Promise<unknown>): Promise<number> {
  let buffers = 0;
  const { drizzle } = ctx.db;
  const explaining = new Proxy(drizzle, {
    get: (target, name) => {
      if (name !== "execute") return Reflect.get(target, name) as unknown;
      return async (statement: SQL) => {
        const [row] = await drizzle.execute(sql`explain (analyze, buffers, timing off, format json) ${statement}`);
        const plan = (row as Explained | undefined)?.["QUERY PLAN"][0]?.Plan ?? {};
        buffers += (plan["Shared Hit Blocks"] ?? Number.NaN) + (plan["Shared Read Blocks"] ?? Number.NaN);
        return [];
      };
    },
  });
  await verb(createContext({ ...ctx, db: { ...ctx.db, drizzle: explaining } }, { actor: ctx.actor }));
  return buffers;
}
