import { z } from "zod";
import { type Schema, text } from "../schema.ts";
import type { UpdateOrganizationInput } from "./dto.ts";

const maxTaxIdCharacters = 40;

export const updateOrganizationInput: Schema<UpdateOrganizationInput> = z.strictObject({
  taxId: text(1, maxTaxIdCharacters).nullable().optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "Write a country as two capital letters, such as ID.")
    .nullable()
    .optional(),
});
