export { type BooksFinding, checkBooks } from "./check-books.ts";
export type { BooksCheck, BooksKind } from "./check.ts";
export { type CheckedLedgers, checkLedgers } from "./check-ledgers.ts";
export { booksChecks, booksPromises } from "./checks.ts";
export type { BooksRunRow } from "./look-at-books.ts";
export {
  type BooksFindingView,
  countBooksFindings,
  deleteOldBooks,
  listBooksFindings,
  listBooksRuns,
  listLastBooksRuns,
} from "./queries.ts";
export type { BooksFindingRow } from "./record-breaches.ts";
export { type BooksOutcome, runBooksCheck } from "./run-books-check.ts";
export { unpark } from "./unpark.ts";
