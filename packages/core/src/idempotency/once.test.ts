import { connectAsSuperuser } from "@sewa/db/testing";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { CoreContext, Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { givenCustomer } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { once } from "./index.ts";

const runs = 300 * Number(process.env["PROPERTY_FACTOR"] ?? 1);

interface Call {
  readonly key: number;
  /** Of the request: calls of one key are equal where both of these are. */
  readonly procedure: "orders.place" | "orders.cancel";
  readonly input: number;
  /** What becomes of it where it is the one that does the work: the connection dies before the commit, or the answer after it. */
  readonly fate: "answers" | "refuses" | "dies before the commit" | "dies after the commit";
  /** At the same time as the one before. */
  readonly joins: boolean;
}

const call: fc.Arbitrary<Call> = fc.record({
  key: fc.nat(2),
  procedure: fc.constantFrom("orders.place", "orders.place", "orders.place", "orders.cancel"),
  input: fc.nat({ max: 1 }),
  fate: fc.constantFrom("answers", "answers", "answers", "refuses", "dies before the commit", "dies after the commit"),
  joins: fc.boolean(),
});

type Answer = { readonly effect: number } | "refused" | "reused" | "dead";

/** Adds a row to a table of the test's own: how often it was done is how many there are. */
async function doWork(tx: Tx, { key, procedure, input, fate }: Call): Promise<{ readonly effect: number }> {
  const [row] = await tx.sql.execute<{ id: number }>(
    sql`insert into effects (organization_id, key, request) values (${tx.ctx.organizationId}, ${key}, ${`${procedure} ${input}`}) returning id`,
  );
  if (fate === "refuses") throw new DomainError("CAPACITY", "There is no room.");
  if (fate === "dies before the commit") await tx.sql.execute(sql`select pg_terminate_backend(pg_backend_pid())`);
  return { effect: row!.id };
}

async function ask(ctx: CoreContext, each: Call): Promise<Answer> {
  const { key, procedure, input } = each;
  let isMine = false;
  try {
    const answer = await once(ctx, { key: `key-${key}`, procedure, input: { input } }, (tx) => {
      isMine = true;
      return doWork(tx, each);
    });
    return isMine && each.fate === "dies after the commit" ? "dead" : answer;
  } catch (error) {
    if (!(error instanceof DomainError)) {
      if (isMine && each.fate === "dies before the commit") return "dead";
      throw error;
    }
    if (error.code === "IDEMPOTENCY_KEY_REUSED") return "reused";
    if (error.code === "CAPACITY") return "refused";
    throw error;
  }
}

function groupsOf(calls: readonly Call[]): readonly (readonly Call[])[] {
  const groups: Call[][] = [];
  for (const each of calls) {
    const last = groups.at(-1);
    if (each.joins && last !== undefined) last.push(each);
    else groups.push([each]);
  }
  return groups;
}

interface Effect extends Record<string, unknown> {
  id: number;
  key: number;
  request: string;
}

async function effectsOf({ database }: TestCore, organizationId: string): Promise<ReadonlyMap<number, Effect>> {
  const rows = await database.drizzle.execute<Effect>(
    sql`select id::int, key, request from effects where organization_id = ${organizationId}`,
  );
  const byKey = new Map(rows.map((row) => [row.key, row]));
  expect(rows).toHaveLength(byKey.size);
  return byKey;
}

const couldDo = ({ fate }: Call): boolean => fate === "answers" || fate === "dies after the commit";

test(`F9 B69 equal and unequal calls at once, some of which die: one effect, one answer for all that are equal, and a refusal for others (${runs} runs)`, async () => {
  const seen = { answered: 0, reused: 0, refused: 0, dead: 0, replayed: 0 };
  await using core = await testCore();
  await using owner = connectAsSuperuser(core.url);
  await owner.drizzle.execute(`create table effects (id serial, organization_id uuid, key int, request text);
    grant all on effects to public; grant all on effects_id_seq to public`);
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 10 }), async (calls) => {
      const { ctx, organizationId } = await givenCustomer(core.ctx);
      // Of the server and of the worker, as if there were two of us.
      const replicas = [ctx, core.ctx.forOrganization(organizationId)];
      let known: ReadonlyMap<number, Effect> = new Map();
      for (const group of groupsOf(calls)) {
        const answers = await Promise.all(
          group.map(async (each, index) => ({ each, answer: await ask(replicas[index % 2]!, each) })),
        );
        const before = known;
        known = await effectsOf(core, organizationId);
        for (const [key, effect] of before) expect(known.get(key)).toEqual(effect);
        for (const { each, answer } of answers) {
          const effect = known.get(each.key);
          const isEqual = effect?.request === `${each.procedure} ${each.input}`;
          const mayFail = !before.has(each.key) && !couldDo(each);
          const isKiller = each.fate === "dies after the commit" && !before.has(each.key) && isEqual;
          const right: Answer[] = [
            ...(effect === undefined ? [] : [isEqual ? { effect: effect.id } : ("reused" as const)]),
            ...(mayFail ? [each.fate === "refuses" ? ("refused" as const) : ("dead" as const)] : []),
            ...(isKiller ? ["dead" as const] : []),
          ];
          expect({ group, each, answer, right }).toEqual({
            group,
            each,
            answer,
            right: expect.arrayContaining([answer]) as unknown,
          });
          seen[typeof answer === "string" ? answer : "answered"] += 1;
          seen.replayed += Number(before.has(each.key) && isEqual);
        }
        // What nobody could do was not done; what somebody could was.
        for (const key of new Set(group.map((each) => each.key))) {
          const isPossible = before.has(key) || group.some((each) => each.key === key && couldDo(each));
          expect([key, known.has(key)]).toEqual([key, isPossible]);
        }
      }
    }),
    { numRuns: runs },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
}, 600_000);
