import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type ConnectOptions, connectDatabase, createWorkerPool, type Database } from "./index.ts";
import { startTestPostgres, type TestDatabase, type TestPostgres } from "./testing/index.ts";

// A server of its own: one frozen session keeps a server from dropping databases, and other tests do that all the time.
let server: TestPostgres;
let home: TestDatabase;
let admin: Database;

beforeAll(async () => {
  server = await startTestPostgres();
  home = await server.createDatabase();
  admin = connectDatabase({ url: home.url, role: "sewa_owner", max: 2 });
});
afterAll(async () => {
  await admin.close();
  await server.stop();
});

function connect(options: Partial<ConnectOptions>): Database {
  return connectDatabase({ url: home.url, role: "sewa_app", ...options });
}

async function ask<T>({ drizzle }: Pick<Database, "drizzle">, text: string): Promise<T[]> {
  return [...(await drizzle.execute(sql.raw(text)))] as T[];
}

async function pidOf(database: Pick<Database, "drizzle">): Promise<number> {
  const [row] = await ask<{ pid: number }>(database, "select pg_backend_pid() as pid");
  return row!.pid;
}

async function fails(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => new Error("It did not fail."),
    (thrown: unknown) => thrown,
  );
  return error instanceof Error && "query" in error ? (error.cause as Error) : (error as Error);
}

const isGone = async (pid: number): Promise<void> => {
  await vi.waitFor(async () => {
    expect(await ask(admin, `select 1 from pg_stat_activity where pid = ${pid}`)).toEqual([]);
  }, 10_000);
};

test("P3 a session that is frozen is given up in time and dropped, and the next call has another", async () => {
  await using database = connect({ max: 1, answerTimeoutMs: 200, statementTimeoutMs: 100 });
  const frozen = await pidOf(database);
  process.kill(frozen, "SIGSTOP");
  try {
    expect(await fails(database.drizzle.execute("select 1"))).toMatchObject({ code: "CONNECTION_CLOSED" });
    expect(await pidOf(database)).not.toBe(frozen);
  } finally {
    process.kill(frozen, "SIGCONT");
  }
  await isGone(frozen);
});

test.each(["statement", "commit"])(
  "P3 a transaction that meets a frozen session at its %s is refused once",
  async (at) => {
    await using database = connect({ max: 1, answerTimeoutMs: 200 });
    let frozen = 0;
    const transaction = database.drizzle.transaction(async (tx) => {
      frozen = await pidOf({ drizzle: tx as unknown as Database["drizzle"] });
      process.kill(frozen, "SIGSTOP");
      if (at === "statement") await tx.execute("select 1");
    });
    try {
      expect(await fails(transaction)).toMatchObject({ message: "PostgreSQL did not answer in time." });
      expect(await pidOf(database)).not.toBe(frozen);
    } finally {
      process.kill(frozen, "SIGCONT");
    }
    await isGone(frozen);
  },
);

test("P4 beyond a bound nobody waits for a connection, and nobody waits longer than another", async () => {
  await using database = connect({ max: 2, maxWaiting: 3, waitTimeoutMs: 150 });
  const release = Promise.withResolvers<void>();
  const holders = [1, 2].map(() => database.drizzle.transaction(() => release.promise));
  const waiting = [1, 2, 3].map(() => fails(database.ping()));
  const tooMany = await fails(database.ping());
  expect(tooMany).toMatchObject({ code: "POOL_EXHAUSTED", message: "Too many wait for a connection." });
  for (const error of await Promise.all(waiting)) {
    expect(error).toMatchObject({ code: "POOL_EXHAUSTED", message: "No connection came free in time." });
  }
  const patient = [1, 2, 3].map(() => database.ping());
  release.resolve();
  await Promise.all([...holders, ...patient]);
  await Promise.all(Array.from({ length: 5 }, () => database.ping()));
});

test("P7 a transaction that does nothing is ended by the database, and its connection is free again", async () => {
  await using database = connect({ max: 1, idleInTransactionTimeoutMs: 100 });
  let idle = 0;
  const forgotten = database.drizzle.transaction(async (tx) => {
    idle = await pidOf({ drizzle: tx as unknown as Database["drizzle"] });
    await new Promise(() => undefined);
  });
  expect(await fails(forgotten)).toMatchObject({ code: "CONNECTION_CLOSED" });
  expect(await pidOf(database)).not.toBe(idle);
});

test("P1 whatever a transaction does when its connection is lost, it is refused once and the pool is whole afterwards", async () => {
  await using database = connect({ max: 3 });
  await ask(admin, "create table marks (number integer)");
  await ask(admin, "grant all on marks to sewa_app");
  // It swallows errors, goes on after them, and asks for several things at once.
  const stubborn = (number: number, lose: boolean): Promise<string> =>
    database.drizzle
      .transaction(async (tx) => {
        await tx.execute(sql`insert into marks values (${number})`);
        const pid = await pidOf({ drizzle: tx as unknown as Database["drizzle"] });
        if (lose) await ask(admin, `select pg_terminate_backend(${pid}, 5000)`);
        await Promise.allSettled([tx.execute("select 1"), tx.execute(sql`select ${number}::int`)]);
        await tx.execute("select 1").catch(() => undefined);
        await new Promise((resolve) => setImmediate(resolve));
        await tx.transaction((inner) => inner.execute("select 1")).catch(() => undefined);
      })
      .then(
        () => "done",
        () => "refused",
      );
  const numbers = Array.from({ length: 60 }, (_, index) => index);
  const outcomes = await Promise.all(numbers.map((number) => stubborn(number, number % 3 === 0)));
  expect(outcomes).toEqual(numbers.map((number) => (number % 3 === 0 ? "refused" : "done")));
  const kept = await ask<{ number: number }>(admin, "select number from marks order by 1");
  expect(kept.map(({ number }) => number)).toEqual(numbers.filter((number) => number % 3 !== 0));
  await Promise.all(numbers.map(() => database.ping()));
});

test("P1 a statement that failed undoes its transaction whatever is made of it, and its savepoint alone where there is one", async () => {
  await using database = connect({ max: 1 });
  await ask(admin, "create table tries (number integer)");
  await ask(admin, "grant all on tries to sewa_app");
  const put = (tx: Pick<Database["drizzle"], "execute">, number: number): PromiseLike<unknown> =>
    tx.execute(sql`insert into tries values (${number})`);
  const wrong = "select 1 / 0";
  const swallowed = database.drizzle.transaction(async (tx) => {
    await put(tx, 1);
    await tx.execute(wrong).catch(() => undefined);
  });
  await expect(swallowed).rejects.toMatchObject({ code: "22012" });
  await database.drizzle.transaction(async (tx) => {
    await put(tx, 2);
    const inner = tx.transaction(async (savepoint) => {
      await put(savepoint, 3);
      await savepoint.execute(wrong);
    });
    expect(await fails(inner)).toMatchObject({ code: "22012" });
    await tx.transaction(async (savepoint) => put(savepoint, 4));
  });
  // The first statement is where it begins, also when it is that one which fails.
  expect(await fails(database.drizzle.transaction((tx) => tx.execute(wrong)))).toMatchObject({ code: "22012" });
  expect(await ask(database, "select number from tries order by 1")).toEqual([{ number: 2 }, { number: 4 }]);
});

test("P1 a transaction that has ended takes no statement more: its connection is another's", async () => {
  await using database = connect({ max: 1 });
  let kept: Pick<Database["drizzle"], "execute"> | null = null;
  await database.drizzle.transaction(async (tx) => {
    await tx.execute("select 1");
    kept = tx;
  });
  expect(
    await fails(Promise.resolve(kept!).then((tx: Pick<Database["drizzle"], "execute">) => tx.execute("select 1"))),
  ).toMatchObject({
    message: "The transaction has ended.",
  });
});

test("a statement with parameters is parsed once for its connection, in and out of transactions, and a connection keeps so many and no more", async () => {
  await using database = connect({ max: 1 });
  const kept = async (text: string): Promise<number> => {
    const statement = `select count(*)::int as kept from pg_prepared_statements where statement ~ '${text}'`;
    return (await ask<{ kept: number }>(database, statement))[0]!.kept;
  };
  const add = (one: number) => sql`select ${one}::int + 1 as sum`;
  for (const one of [1, 2]) expect(await database.drizzle.execute(add(one))).toMatchObject([{ sum: one + 1 }]);
  await database.drizzle.transaction(async (tx) => {
    for (const one of [3, 4]) expect(await tx.execute(add(one))).toMatchObject([{ sum: one + 1 }]);
  });
  expect(await kept("as sum")).toBe(1);
  const used =
    "select sum(generic_plans + custom_plans)::int as used from pg_prepared_statements where statement ~ 'as sum'";
  expect(await ask(database, used)).toEqual([{ used: 4 }]);
  // A list of each length is another statement.
  const long = sql.join(
    Array.from({ length: 65 }, (_, index) => sql`${index}`),
    sql`, `,
  );
  await database.drizzle.execute(sql`select 1 as long where 1 in (${long})`);
  expect(await kept("as long")).toBe(0);
  for (let index = 0; index < 600; index += 1)
    await database.drizzle.execute(sql`select ${index}::int as ${sql.identifier(`many_${index}`)}`);
  expect(await kept("")).toBe(500);
  expect(await database.drizzle.execute(add(5))).toMatchObject([{ sum: 6 }]);
});

test("P1 after a crash of the whole server each call is answered, and those after it are served at once", async () => {
  await using database = connect({ max: 4 });
  let failures = 0;
  let isOver = false;
  const busy = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      await database.drizzle.transaction((tx) => tx.execute("select 1")).catch(() => (failures += 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  await database.ping();
  // One that is killed takes all others with it: PostgreSQL starts anew from its log.
  process.kill(await pidOf(admin), "SIGKILL");
  await vi.waitFor(() => expect(failures).toBeGreaterThan(0), 10_000);
  await vi.waitFor(() => admin.ping(), { timeout: 20_000, interval: 20 });
  await Promise.all(Array.from({ length: 12 }, () => database.ping()));
  isOver = true;
  await Promise.all(busy);
});

test("P18 sessions are in UTC whatever was set for user, role or database, and months are counted alike", async () => {
  await using elsewhere = await server.createDatabase();
  const name = new URL(elsewhere.url).pathname.slice(1);
  const statement =
    "select current_setting('timezone') as zone, ('2026-03-01 12:00+00'::timestamptz + interval '1 month')::text as month";
  const expected = [{ zone: "UTC", month: "2026-04-01 12:00:00+00" }];
  await using settings = connect({ url: elsewhere.url, max: 1 });
  await settings.drizzle.transaction(async (tx) => {
    await tx.execute("set local role none");
    await tx.execute(sql.raw(`alter database ${name} set timezone = 'Europe/Berlin'`));
    await tx.execute(sql.raw(`alter role sewa in database ${name} set timezone = 'America/New_York'`));
  });
  await using database = connect({ url: elsewhere.url, max: 1 });
  await using worker = createWorkerPool({ url: elsewhere.url, max: 1 });
  expect(await ask(database, statement)).toEqual(expected);
  expect((await worker.query(statement)).rows).toEqual(expected);
});
