import { z } from "zod";
import type { BlueprintIssueCode } from "../issue.ts";
import { decimalPattern, normalizeDecimal } from "../decimal.ts";
import { parseBytes } from "../quantity.ts";

/** Attaches the code of the issue that a failed refinement becomes. */
export function refusal(
  code: BlueprintIssueCode,
  error: string,
): { error: string; params: { code: BlueprintIssueCode } } {
  return { error, params: { code } };
}

export const text = (characters: number): z.ZodString => z.string().trim().min(1, "Write a text.").max(characters);

/** A text that may hold `${…}`; its expressions are read by the checks. */
export const template = (characters: number): z.ZodString => z.string().max(characters);

export const scalar: z.ZodUnion<[z.ZodString, z.ZodNumber, z.ZodBoolean]> = z.union(
  [z.string().max(10_000), z.number(), z.boolean()],
  "Write a text, a number, true or false.",
);

const reservedWords = new Set(
  "as break const continue else false for function if import in let loop namespace null package return true var void while".split(
    " ",
  ),
);

/** A name that an expression can say: `parameters.adminEmail`. */
export const identifier: z.ZodString = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, "Use a letter, then letters, digits and _; at most 63.")
  .refine(
    (name) => !reservedWords.has(name) && name !== "constructor" && name !== "prototype",
    "This name is reserved.",
  );

/** Becomes the name of an object on the cluster. */
export const shortLabel: z.ZodString = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/, "Use 1 to 20 of a-z, 0-9 and -, beginning with a letter.");

export const slug: z.ZodString = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?$/, "Use 1 to 50 of a-z, 0-9 and -, beginning with a letter.");

export const httpUrl: z.ZodString = z
  .string()
  .max(500)
  .refine((url) => URL.canParse(url) && /^https?:\/\//.test(url), "Write an address that begins with https://.");

export const absolutePath: z.ZodString = z
  .string()
  .max(200)
  .regex(/^\/[A-Za-z0-9._\-/@+]*$/, "Write an absolute path.")
  .refine(
    (path) => path !== "/" && !path.includes("//") && !path.endsWith("/") && !/(^|\/)\.{1,2}(\/|$)/.test(path),
    "Write an absolute path below / without . and .. in it.",
  )
  .refine(
    (path) => !/^\/(?:proc|sys|dev|var\/run\/secrets|run\/secrets)(?:\/|$)/.test(path),
    refusal("POD_SECURITY", "This path belongs to the system."),
  );

/** Decimal major units, kept as a text so that no cent is lost. */
export const amount = z
  .union([z.string(), z.number()], "Write an amount.")
  .transform(String)
  .refine((value) => decimalPattern.test(value), "Write an amount such as 80 or 12.50, without sign or exponent.")
  .transform((value) => (decimalPattern.test(value) ? normalizeDecimal(value) : value));

export const byteQuantity: z.ZodString = z
  .string()
  .refine((quantity) => parseBytes(quantity) !== null, "Write a quantity such as 512Mi or 1Gi.");
