import { z } from "zod";
import { listShape, pageSchema, publicId, type Schema, text } from "../schema.ts";
import type {
  BooksFindingDto,
  BooksFindingPageDto,
  BooksRunDto,
  BooksRunPageDto,
  ListBooksFindingsInput,
  ParkingDto,
  UnparkInput,
} from "./dto.ts";

export const listBooksFindingsInput: Schema<ListBooksFindingsInput> = z.strictObject({
  ...listShape,
  status: z.enum(["open", "resolved"]).optional(),
});
export const unparkInput: Schema<UnparkInput> = z.strictObject({ organizationId: publicId, reason: text(1, 500) });

const booksFindingSchema: Schema<BooksFindingDto> = z.strictObject({
  id: z.string(),
  check: z.string(),
  kind: z.enum(["books", "clock"]),
  row: z.string(),
  organizationId: z.string().nullable(),
  parkedAt: z.date().nullable(),
  firstSeenAt: z.date(),
  resolvedAt: z.date().nullable(),
});
export const booksFindingPageSchema: Schema<BooksFindingPageDto> = pageSchema(booksFindingSchema);

const booksRunSchema: Schema<BooksRunDto> = z.strictObject({
  id: z.string(),
  mode: z.enum(["recent", "whole", "organization"]),
  startedAt: z.date(),
  finishedAt: z.date(),
  organizations: z.int(),
  findings: z.int(),
  opened: z.int(),
  resolved: z.int(),
});
export const booksRunPageSchema: Schema<BooksRunPageDto> = pageSchema(booksRunSchema);

export const parkingSchema: Schema<ParkingDto> = z.strictObject({
  organizationId: z.string(),
  parkedAt: z.date().nullable(),
  unparkedAt: z.date().nullable(),
});
