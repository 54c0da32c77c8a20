import postgres from "postgres";
import { expect, test } from "vitest";
import { createTestDatabase } from "./index.ts";

test("each test database has the migrated tables and knows nothing of its neighbour", async () => {
  await using one = await createTestDatabase();
  await using two = await createTestDatabase();
  const first = postgres(one.url, { max: 1 });
  const second = postgres(two.url, { max: 1 });
  try {
    expect((await first`select name from sewa_migrations`).length).toBeGreaterThan(0);
    await first`create table mine ()`;
    expect(await second`select to_regclass('mine') as found`).toEqual([{ found: null }]);
  } finally {
    await first.end();
    await second.end();
  }
});

test("a test database is dropped although somebody is still connected", async () => {
  const database = await createTestDatabase();
  const forgotten = postgres(database.url, { max: 1, onnotice: () => undefined });
  await forgotten`select 1`;
  await database[Symbol.asyncDispose]();
  await expect(forgotten`select 1`).rejects.toMatchObject({
    code: expect.stringMatching(/^(CONNECTION_|57P01|3D000)/) as string,
  });
  await forgotten.end({ timeout: 0 });
});
