import { createTaxRate, endTaxRate, listTaxRates, type TaxRateRow, toPercent, toPublicId } from "@sewa/core";
import { z } from "zod";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { inputDate, listInput, pageSchema, publicId, type Schema, text } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import type { CreateTaxRateInput, EndTaxRateInput, TaxRateDto, TaxRatePageDto } from "./money-dto.ts";

const createInput: Schema<CreateTaxRateInput> = z.strictObject({
  name: text(1, 40),
  percent: z.string().max(6),
  isInclusive: z.boolean(),
  country: z.string().length(2).optional(),
  startsAt: inputDate.optional(),
});
const endInput: Schema<EndTaxRateInput> = z.strictObject({ taxRateId: publicId, endsAt: inputDate.optional() });

const taxRateSchema: Schema<TaxRateDto> = z.strictObject({
  id: z.string(),
  name: z.string(),
  percent: z.string(),
  isInclusive: z.boolean(),
  country: z.string().nullable(),
  startsAt: z.date(),
  endsAt: z.date().nullable(),
});
const taxRatePageSchema: Schema<TaxRatePageDto> = pageSchema(taxRateSchema);

export const taxesRouter = {
  list: operatorProcedure("admin.taxes.read")
    .input(listInput)
    .output(taxRatePageSchema)
    .query(async ({ ctx, input }): Promise<TaxRatePageDto> =>
      toPageDto(await listTaxRates(coreContext(ctx), input), toTaxRateDto),
    ),

  // The same name cannot hold twice at once, so asking twice creates one and no key is needed.
  create: operatorProcedure("admin.taxes.write")
    .input(createInput)
    .output(taxRateSchema)
    .mutation(async ({ ctx, input }): Promise<TaxRateDto> =>
      toTaxRateDto(await createTaxRate(coreContext(ctx), input)),
    ),

  end: operatorProcedure("admin.taxes.write")
    .input(endInput)
    .output(taxRateSchema)
    .mutation(async ({ ctx, input: { taxRateId, endsAt } }): Promise<TaxRateDto> =>
      toTaxRateDto(await endTaxRate(coreContext(ctx), { taxRateId: uuidOf("taxRate", taxRateId), endsAt })),
    ),
};

function toTaxRateDto({ id, name, basisPoints, isInclusive, country, startsAt, endsAt }: TaxRateRow): TaxRateDto {
  return {
    id: toPublicId("taxRate", id),
    name,
    percent: toPercent(basisPoints),
    isInclusive,
    country,
    startsAt,
    endsAt,
  };
}
