import { describeError, toErrorShape, transformer } from "@sewa/api";
import { DomainError } from "@sewa/core";
import { createServerLog } from "@sewa/server";
import { createLog } from "@sewa/worker";
import { TRPCError } from "@trpc/server";
import fc from "fast-check";
import { expect, test } from "vitest";

const runs = 1_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
const canary = "canary-5f0c1d";

/** Words of an error in which something tells that a secret follows. */
const telling = fc.constantFrom(
  `smtp://sewa:${canary}@mail.test:25 does not answer`,
  `401 for Bearer ${canary}`,
  `GET /verify?token=${canary} failed`,
  `host=db user=u password=${canary}`,
  `no session sewa_s_${canary}${"a".repeat(20)}`,
  `cannot read {"password":"${canary}"}`,
);
/** What a database's driver and the query builder throw: statement and parameters stand in the words, and beside them. */
const failedQuery = fc.boolean().map((isAnswered) =>
  Object.assign(new Error(`Failed query: select '${canary}' params: ${canary}`), {
    query: `select '${canary}'`,
    params: [canary],
    cause: isAnswered
      ? Object.assign(new Error(`duplicate key (${canary})`), {
          name: "PostgresError",
          severity: "ERROR",
          code: "23505",
          detail: canary,
        })
      : Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:5432"), { code: "ECONNREFUSED" }),
  }),
);
const { error } = fc.letrec<{ error: Error }>((tie) => ({
  error: fc.oneof(
    { maxDepth: 5 },
    telling.map((words) => new Error(words)),
    failedQuery,
    fc.tuple(telling, tie("error")).map(([words, cause]) => new Error(words, { cause })),
    tie("error").map((cause) => new AggregateError([cause], "all failed", { cause })),
    tie("error").map((cause) => new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause })),
    tie("error").map((cause) =>
      Object.assign(new TypeError("outer", { cause }), { password: canary, input: { token: canary } }),
    ),
  ),
}));

test(`F22 no canary within an error, its causes, its fields or the query that failed gets into a log line or an answer (${runs} runs)`, () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logs = [createServerLog({ level: "info" }, destination), createLog({ level: "info" }, destination)];
  let told = 0;
  fc.assert(
    fc.property(error, telling, (thrown, words) => {
      lines.length = 0;
      for (const log of logs) {
        log.error({ err: thrown, password: canary }, "call failed");
        log.error(thrown, "call failed");
        log.warn({ deep: [{ thrown, words }], map: new Map([[canary, words]]) }, "call failed");
      }
      expect(lines).toHaveLength(6);
      told += lines.filter((line) => line.includes("[hidden]")).length;
      for (const line of lines) expect(line).not.toContain(canary);
      // What is refused on purpose has words for whoever is refused; everything else has none.
      for (const each of [thrown, new TRPCError({ code: "BAD_REQUEST", cause: thrown, message: words })]) {
        const shape = toErrorShape(describeError(each), { path: "auth.me", requestId: "request-1" });
        expect(JSON.stringify(transformer.serialize(shape))).not.toContain(canary);
      }
    }),
    { numRuns: runs },
  );
  expect(told).toBeGreaterThan(0);
  expect(describeError(new DomainError("CONFLICT", "In words.")).message).toBe("In words.");
}, 600_000);
