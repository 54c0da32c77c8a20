import type { Transaction } from "@sewa/db";
import { booksRuns, organizationHeads } from "@sewa/db/schema";
import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { assert } from "../errors.ts";
import { anyOf, askBooks } from "./ask-books.ts";
import type { BooksCheck } from "./check.ts";
import { booksChecks } from "./checks.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { type BooksFindingRow, recordBreaches } from "./record-breaches.ts";

export type BooksRunRow = typeof booksRuns.$inferSelect;

/** What is asked, and about whom. */
export type BooksQuestion =
  { readonly mode: "recent" | "whole" } | { readonly mode: "organization"; readonly organizationId: string };

export interface BooksLook {
  readonly run: BooksRunRow;
  /** Findings that nobody had seen before. */
  readonly opened: readonly BooksFindingRow[];
  /** False when more organizations have changed than one look asks about: look again. */
  readonly isComplete: boolean;
}

/** One look asks about no more than so many organizations that changed, and so many of which something is open. */
const organizationsAtOnce = 1_000;

/**
 * Asks, and writes down what was found, in one picture of the database. Null while another one looks, when that takes longer
 * than the lock time-out.
 */
export async function lookAtBooks(ctx: CoreContext, question: BooksQuestion): Promise<BooksLook | null> {
  return oneAtATime(ctx, (tx) => look(ctx, tx, question));
}

async function look(ctx: CoreContext, tx: Transaction, question: BooksQuestion): Promise<BooksLook> {
  const startedAt = ctx.clock.now();
  const checks = booksChecks.filter(({ by }) => isAsked(by, question));
  const { organizationIds, isComplete } = await whom(tx, question);
  const answer = await askBooks(tx, checks, { now: startedAt, organizationIds });
  const { opened, resolved } = await recordBreaches(ctx, tx, { ...answer, checks, organizationIds });
  const organizations = await keepCheckpoints(tx, organizationIds);
  const [run] = await tx
    .insert(booksRuns)
    .values({
      id: ctx.ids.next(),
      mode: question.mode,
      startedAt,
      finishedAt: ctx.clock.now(),
      organizations,
      findings: answer.breaches.length,
      opened: opened.length,
      resolved,
    })
    .returning();
  assert(run !== undefined, "an inserted run is returned");
  return { run, opened, isComplete };
}

function isAsked(by: BooksCheck["by"], { mode }: BooksQuestion): boolean {
  return by === "change" || mode === "whole" || (by === "time" && mode === "recent");
}

/** Null is everybody. What has changed since it was asked about shows in the numbers of events and postings. */
async function whom(
  tx: Transaction,
  question: BooksQuestion,
): Promise<{ readonly organizationIds: readonly string[] | null; readonly isComplete: boolean }> {
  if (question.mode === "whole") return { organizationIds: null, isComplete: true };
  if (question.mode === "organization") return { organizationIds: [question.organizationId], isComplete: true };
  const changed = await tx.execute<{ id: string }>(sql`
    select h.organization_id as id from organization_heads h left join books_checkpoints c using (organization_id)
    where (h.sequence, h.ledger_sequence) is distinct from (c.sequence, c.ledger_sequence)
    order by h.organization_id limit ${organizationsAtOnce}`);
  // What somebody repaired by hand has no event.
  const open = await tx.execute<{ id: string }>(sql`
    select organization_id as id from books_findings where resolved_at is null and organization_id is not null
    group by organization_id order by min(last_seen_at) limit ${organizationsAtOnce}`);
  return {
    organizationIds: [...new Set([...changed, ...open].map(({ id }) => id))],
    isComplete: changed.length < organizationsAtOnce,
  };
}

/** Answers how many were asked about. */
async function keepCheckpoints(tx: Transaction, organizationIds: readonly string[] | null): Promise<number> {
  await tx.execute(sql`
    insert into books_checkpoints as c (organization_id, sequence, ledger_sequence)
    select organization_id, sequence, ledger_sequence from organization_heads
    where ${organizationIds === null ? sql`true` : sql`organization_id = ${anyOf(organizationIds)}`}
    on conflict (organization_id) do update set sequence = excluded.sequence, ledger_sequence = excluded.ledger_sequence
    where (c.sequence, c.ledger_sequence) <> (excluded.sequence, excluded.ledger_sequence)`);
  return organizationIds === null ? tx.$count(organizationHeads) : organizationIds.length;
}
