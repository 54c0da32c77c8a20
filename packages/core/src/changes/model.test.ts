import { connectAsSuperuser } from "@sewa/db/testing";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { brokenPromises, promises } from "../testing/broken-promises.ts";
import { createFakeGateway } from "../testing/fake-gateway.ts";
import { givenLargeMachines } from "../testing/given.ts";
import { testCore, type TestCore } from "../testing/test-core.ts";
import { applyPlans } from "./test-changes.ts";
import { type Death, type Deed, Life } from "./test-life.ts";

/**
 * A deed is some verbs in a real database, each a transaction of a dozen statements or more: a hundred runs are a minute or more of work,
 * most of it PostgreSQL's, however they are put together. All of them share one database, and four lives run at once.
 */
const runs = 100 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
/** On average; shorter ones are what a failure shrinks to. */
const deedsPerRun = 40;

/** The whole machine, and who may take which of its edges: the same time that ends a period never begins one that is not paid. */
const byTime = [
  "pending cancelled",
  "active past_due",
  "active expired",
  "past_due expired",
  "expired cancelled",
] as const;
const byMoney = ["pending active", "past_due active", "expired active"] as const;
const byWill = ["pending cancelled", "active cancelled", "past_due cancelled", "expired cancelled"] as const;
const edgesOf: Readonly<Record<Deed["do"], readonly string[]>> = {
  // What costs nothing is paid at once.
  order: ["pending active"],
  pay: byMoney,
  "fail to pay": [],
  renew: ["expired active"],
  "cancel at the end": [],
  undo: [],
  "cancel now": byWill,
  "change plan": [],
  pass: byTime,
  "pass until due": byTime,
  "pay late": [...byTime, ...byMoney],
};

/** What makes lives go on is done more often than what ends them. */
const likely: Readonly<Record<Deed["do"], number>> = {
  order: 4,
  pay: 16,
  "fail to pay": 2,
  renew: 4,
  "cancel at the end": 2,
  undo: 2,
  "cancel now": 1,
  "change plan": 5,
  pass: 6,
  "pass until due": 12,
  "pay late": 3,
};
const deed: fc.Arbitrary<Deed> = fc.record({
  do: fc.oneof(
    ...(Object.entries(likely) as [Deed["do"], number][]).map(([name, weight]) => ({
      weight,
      arbitrary: fc.constant(name),
    })),
  ),
  app: fc.nat(2),
  size: fc.oneof({ weight: 3, arbitrary: fc.nat(23) }, { weight: 1, arbitrary: fc.nat(67) }),
  dies: fc.oneof(
    { weight: 6, arbitrary: fc.constant<Death>(null) },
    { weight: 1, arbitrary: fc.constantFrom<Death>("before the commit", "after the commit") },
  ),
  repeats: fc.boolean(),
});

/** The plan of the first app, and what is done then. */
type Story = readonly [number, readonly Deed[]];
const story: fc.Arbitrary<Story> = fc.tuple(fc.nat(3), fc.array(deed, { maxLength: 2 * deedsPerRun, size: "max" }));
/** So many lives at the same time: each waits for the database most of the time. */
const together = 4;

const deedOf = (what: Deed["do"], size = 0): Deed => ({ do: what, app: 0, size, dies: null, repeats: false });
const days = (count: number): Deed => deedOf("pass", count + 22);
const [pay, due] = [deedOf("pay"), deedOf("pass until due")];
const [free, late] = [0, 2];
/** What was found once, and lives that take each edge whatever the seed. */
const examples: readonly Story[] = [
  // A payment of nothing was begun, which the database refused.
  [free, [due, deedOf("fail to pay"), deedOf("renew"), days(31), deedOf("renew")]],
  // Past due and paid; past due, expired and paid; past due and left.
  [late, [pay, due, due, pay, due, due, due, deedOf("renew"), pay, due, due, deedOf("cancel now")]],
  [
    late,
    [pay, deedOf("cancel at the end"), deedOf("undo"), deedOf("change plan"), due, deedOf("pay late"), due, due, due],
  ],
  [
    late,
    [
      deedOf("fail to pay"),
      due,
      deedOf("order", 1),
      pay,
      deedOf("cancel now"),
      deedOf("order", 1),
      deedOf("cancel now"),
    ],
  ],
];

/** Writes down each edge that a subscription takes, whoever takes it. */
async function watchEdges({ url }: TestCore): Promise<void> {
  await using owner = connectAsSuperuser(url);
  await owner.drizzle.execute(`
    create table edges (number bigserial, organization_id uuid, edge text);
    create function note_edge() returns trigger language plpgsql security definer set search_path = public as $$ begin
      insert into edges (organization_id, edge) values (new.organization_id, old.status || ' ' || new.status);
      return null;
    end $$;
    create trigger note_edge after update of status on subscriptions for each row when (old.status <> new.status)
      execute function note_edge();
    create index on edges (organization_id, number); grant select on edges to public`);
}

/** The edges since the last look, and apps that run for a time that nobody paid for. */
async function lookAt({ core, organizationId, clock }: Life, after: number) {
  const now = clock.now().toISOString();
  const rows = await core.database.drizzle.execute<{ number: string | null; line: string }>(sql`
    select number::text, edge as line from edges where organization_id = ${organizationId} and number > ${after}
    union all
    select null, i.id::text from instances i join subscriptions s on s.id = i.subscription_id
    where i.organization_id = ${organizationId} and i.desired_phase = 'running' and s.status <> 'past_due' and not exists (
      select 1 from invoices v where v.subscription_id = s.id and v.status = 'paid' and v.reason <> 'change'
        and v.period_start <= ${now}::timestamptz and v.period_end > ${now}::timestamptz)`);
  const edges = rows.filter(({ number }) => number !== null);
  return {
    edges: edges.map(({ line }) => line),
    unpaid: rows.filter(({ number }) => number === null).map(({ line }) => line),
    last: Math.max(after, ...edges.map(({ number }) => Number(number))),
  };
}

const asked = [...promises(11, 16), ...promises(24, 27)];

test(`F5 random lives, with processes that die: only listed edges are taken, the books hold, and nothing runs unpaid, after each deed (${runs} runs)`, async () => {
  const taken = new Map<string, number>();
  const done = new Map<string, number>();
  const count = (counts: Map<string, number>, what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);
  const gateway = createFakeGateway();
  await using core = await testCore({}, { paymentProviders: ["sandbox"] });
  await givenLargeMachines(core.ctx);
  await applyPlans(core.ctx, {
    plans: [
      { slug: "free", amount: "0" },
      { slug: "small", amount: "50000", cpu: "110m" },
      { slug: "late", amount: "70000", pastDueDays: 3, cpu: "120m" },
      { slug: "monthly", amount: "60000", interval: "P1M", pastDueDays: 2 },
    ],
  });
  await watchEdges(core);
  const live = async ([first, later]: Story): Promise<void> => {
    const life = await Life.begin(core, gateway);
    let after = 0;
    for (const each of [deedOf("order", first), ...later]) {
      if (await life.take(each)) count(done, each.do);
      await life.settle();
      const { organizationId } = life;
      const [broken, { edges, unpaid, last }] = await Promise.all([
        brokenPromises(core, asked, { organizationId, now: life.clock.now() }),
        lookAt(life, after),
      ]);
      expect({ each, broken, unpaid }).toEqual({ each, broken: [], unpaid: [] });
      expect({ each, edges: edges.filter((edge) => !edgesOf[each.do].includes(edge)) }).toEqual({ each, edges: [] });
      for (const edge of edges) count(taken, edge);
      after = last;
    }
  };
  const lives = fc.array(story, { minLength: together, maxLength: together });
  await fc.assert(
    fc.asyncProperty(lives, async (stories) => void (await Promise.all(stories.map(live)))),
    { numRuns: runs / together, examples: [[examples]] },
  );
  // A property that met none of its cases would prove nothing.
  expect(new Set(taken.keys())).toEqual(new Set([...byTime, ...byMoney, ...byWill]));
  expect(new Set(done.keys())).toEqual(new Set(Object.keys(edgesOf)));
}, 1_200_000);
