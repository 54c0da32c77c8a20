import { type CoreContext, createContext } from "@sewa/core";
import type { Database, Transaction } from "@sewa/db";
import { type SQL, sql } from "drizzle-orm";

interface Explained {
  readonly "QUERY PLAN": readonly { readonly Plan: Readonly<Record<string, number>> }[];
}

/** Pages that the verb's statements touch. They are carried out, and answer nothing: what would follow from an answer is not done. */
export async function buffersOf(ctx: CoreContext, verb: (ctx: CoreContext) => Promise<unknown>): Promise<number> {
  let buffers = 0;
  const { drizzle } = ctx.db;
  const explain = <T extends Transaction | Database["drizzle"]>(reader: T, { isBound }: { isBound: boolean }): T =>
    new Proxy(reader, {
      get: (target, name) => {
        if (name === "transaction")
          return (work: (transaction: Transaction) => Promise<unknown>) =>
            drizzle.transaction((transaction) => work(explain(transaction, { isBound: false })));
        if (name !== "execute") return Reflect.get(target, name) as unknown;
        return async (statement: SQL) => {
          // The first statement of a transaction says for whom it is, and reads no table of customers.
          if (!isBound) {
            isBound = true;
            return reader.execute(statement);
          }
          const [row] = await reader.execute(sql`explain (analyze, buffers, timing off, format json) ${statement}`);
          const plan = (row as Explained | undefined)?.["QUERY PLAN"][0]?.Plan ?? {};
          buffers += (plan["Shared Hit Blocks"] ?? Number.NaN) + (plan["Shared Read Blocks"] ?? Number.NaN);
          return [];
        };
      },
    });
  await verb(
    createContext({ ...ctx, db: { ...ctx.db, drizzle: explain(drizzle, { isBound: true }) } }, { actor: ctx.actor }),
  );
  return buffers;
}
