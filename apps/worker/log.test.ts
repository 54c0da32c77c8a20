import { connectDatabase } from "@sewa/db";
import { createTestDatabase } from "@sewa/db/testing";
import { expect, test } from "vitest";
import { describeError, readableMessage } from "./log.ts";

test("a failed query is told by PostgreSQL's code and its place, never by its statement or parameters", async () => {
  await using database = await createTestDatabase();
  await using db = connectDatabase({ url: database.url, role: "sewa_worker", max: 1 });
  const error: unknown = await db.drizzle.execute("select 'hunter2' from nowhere").catch((thrown: unknown) => thrown);
  expect(describeError(error)).toMatchObject({ code: "42P01", stack: expect.stringContaining("at ") as string });
  expect(JSON.stringify(describeError(error))).not.toContain("hunter2");
  expect(readableMessage(error)).toBe("The database refused with 42P01.");
});

test("a database that does not answer is told without the statement", async () => {
  await using db = connectDatabase({ url: "postgres://127.0.0.1:9/sewa", role: "sewa_worker", max: 1 });
  const error: unknown = await db.drizzle.execute("select 'hunter2'").catch((thrown: unknown) => thrown);
  expect(readableMessage(error)).toMatch(/^The database did not answer: .*ECONNREFUSED/);
  expect(JSON.stringify(describeError(error))).not.toContain("hunter2");
});

test("other errors keep their words", () => {
  expect(describeError(new TypeError("no such thing"))).toMatchObject({ type: "TypeError", message: "no such thing" });
  expect(readableMessage("a text")).toBe("a text");
});
