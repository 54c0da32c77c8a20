import { maxPageSize } from "@sewa/core";
import { z } from "zod";
import type { ListInput, MoneyDto, OfferingRefDto, PeriodDto, TaxDto } from "./dto.ts";

/** A schema that changes nothing but white space: the same type before and after, so that declarations can name it. */
export type Schema<T> = z.ZodType<T, T>;

const maxIdCharacters = 64;
const maxCursorCharacters = 500;
const maxNameCharacters = 60;

/** Text on one line as a person types it: trimmed, composed, no control characters, nothing that turns the
 * direction of what follows, nothing that PostgreSQL cannot store. */
export function text(minCharacters: number, maxCharacters: number): Schema<string> {
  return z
    .string()
    .max(maxCharacters * 2)
    .refine(
      (value) => value.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(value),
      "Use plain text on one line.",
    )
    .transform((value) => value.trim().normalize("NFC"))
    .pipe(
      z
        .string()
        .min(minCharacters)
        .max(maxCharacters)
        .refine((value) => value === "" || isVisible(value), "Use at least one character that can be seen."),
    );
}

/** Whether anything of it can be seen: spaces, format characters and the blank Hangul letters cannot. */
function isVisible(value: string): boolean {
  return /[^\p{Z}\p{Cf}\u115f\u1160\u3164\uffa0]/u.test(value);
}

export const name: Schema<string> = text(1, maxNameCharacters);
/** Secrets and addresses are taken as they are; core knows their rules. */
export const opaque = (maxCharacters: number): Schema<string> =>
  z
    .string()
    .max(maxCharacters)
    .refine((value) => value.isWellFormed() && !value.includes("\0"), "Use plain text.");
/** Only the length is checked: an id that is none is NOT_FOUND, like one that nobody has. */
export const publicId: Schema<string> = z.string().max(maxIdCharacters);
export const idempotencyKey: Schema<string> = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,128}$/, "Use 8 to 128 letters, digits, - and _.");

export const listShape = {
  cursor: z.string().max(maxCursorCharacters).optional(),
  limit: z.int().min(1).max(maxPageSize).optional(),
};
export const listInput: Schema<ListInput> = z.strictObject(listShape);
export const nothing: Schema<undefined> = z.undefined();

export const moneySchema: Schema<MoneyDto> = z.strictObject({ amountMinor: z.bigint(), currency: z.string() });
/** The most that one call moves, in minor units. */
export const maxAmountMinor = 1_000_000_000_000_000n;
/** What somebody wants to pay, or to have back. */
export const amountInput: Schema<MoneyDto> = z.strictObject({
  amountMinor: z.bigint().positive().max(maxAmountMinor),
  currency: z.string().length(3),
});
/** The same, or below zero. */
export const signedAmountInput: Schema<MoneyDto> = z.strictObject({
  amountMinor: z
    .bigint()
    .min(-maxAmountMinor)
    .max(maxAmountMinor)
    .refine((amount) => amount !== 0n, "Nothing would change."),
  currency: z.string().length(3),
});
export const taxSchema: Schema<TaxDto> = z.strictObject({
  name: z.string(),
  percent: z.string(),
  isInclusive: z.boolean(),
  amountMinor: z.bigint(),
});
/** A date that somebody hands in. Far outside of these centuries it is a mistake, and nothing that a database could store. */
export const inputDate: Schema<Date> = z.date().min(new Date("2000-01-01")).max(new Date("2200-01-01"));
/** The same for a day, `2026-03-02`. */
export const inputDay: Schema<string> = z.iso
  .date()
  .refine((day) => inputDate.safeParse(new Date(day)).success, "Use a day of these centuries.");

export const periodSchema: Schema<PeriodDto> = z.strictObject({ start: z.date(), end: z.date() });
export const offeringRefSchema: Schema<OfferingRefDto> = z.strictObject({ slug: z.string(), name: z.string() });

export function pageSchema<T>(
  item: Schema<T>,
): Schema<{ readonly items: readonly T[]; readonly nextCursor: string | null }> {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });
}
