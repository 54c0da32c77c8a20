export { type BooksFinding, checkBooks } from "./check-books.ts";
export { type BooksCheck, booksChecks } from "./checks.ts";
