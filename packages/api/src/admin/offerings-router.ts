import {
  findOfferings,
  getOfferingEntry,
  hideOffering,
  type OfferingEntry,
  publishOffering,
  shelfStates,
  toPublicId,
} from "@sewa/core";
import { z } from "zod";
import { coreContext } from "../core-context.ts";
import { toPageDto } from "../page.ts";
import { listInput, moneySchema, opaque, pageSchema, type Schema, text } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import type { AdminOfferingDto, AdminOfferingPageDto, ShelfInput } from "./dto.ts";

const state = z.enum(shelfStates);
const slug = opaque(100);
const shelfInput: Schema<ShelfInput> = z.strictObject({ slug, planSlug: slug.optional(), reason: text(3, 500) });

const adminOfferingSchema: Schema<AdminOfferingDto> = z.strictObject({
  id: z.string(),
  slug: z.string(),
  name: z.string(),
  state,
  hiddenAt: z.date().nullable(),
  agreement: z.string().nullable(),
  plans: z.array(
    z.strictObject({
      id: z.string(),
      slug: z.string(),
      name: z.string(),
      state,
      hiddenAt: z.date().nullable(),
      version: z.int(),
      price: moneySchema.nullable(),
      liveSubscriptions: z.int(),
      obstacles: z.array(z.string()),
    }),
  ),
});
const adminOfferingPageSchema: Schema<AdminOfferingPageDto> = pageSchema(adminOfferingSchema);

export const adminOfferingsRouter = {
  list: operatorProcedure("admin.catalog.read")
    .input(listInput)
    .output(adminOfferingPageSchema)
    .query(async ({ ctx, input }): Promise<AdminOfferingPageDto> =>
      toPageDto(await findOfferings(coreContext(ctx), input), toAdminOfferingDto),
    ),

  // Both say how it shall be, so saying it twice changes nothing and no key is needed.
  publish: operatorProcedure("admin.catalog.write")
    .input(shelfInput)
    .output(adminOfferingSchema)
    .mutation(async ({ ctx, input: { slug: offeringSlug, planSlug = null, reason } }): Promise<AdminOfferingDto> => {
      await publishOffering(coreContext(ctx), { offeringSlug, planSlug, reason });
      return toAdminOfferingDto(await getOfferingEntry(coreContext(ctx), offeringSlug));
    }),

  hide: operatorProcedure("admin.catalog.write")
    .input(shelfInput)
    .output(adminOfferingSchema)
    .mutation(async ({ ctx, input: { slug: offeringSlug, planSlug = null, reason } }): Promise<AdminOfferingDto> => {
      await hideOffering(coreContext(ctx), { offeringSlug, planSlug, reason });
      return toAdminOfferingDto(await getOfferingEntry(coreContext(ctx), offeringSlug));
    }),
};

function toAdminOfferingDto({ id, plans, ...offering }: OfferingEntry): AdminOfferingDto {
  return {
    id: toPublicId("offering", id),
    ...offering,
    plans: plans.map((plan) => ({ ...plan, id: toPublicId("plan", plan.id) })),
  };
}
