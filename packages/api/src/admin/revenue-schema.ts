import { ageBuckets, churnReasons } from "@sewa/core";
import { z } from "zod";
import { inputDate, listShape, pageSchema, type Schema } from "../schema.ts";
import type {
  ChurnMonthDto,
  MarginDto,
  MarginPageDto,
  ReceivableDto,
  ReceivablePageDto,
  ReceivablesBucketDto,
  RecurringRevenueDto,
  RecurringRevenueInput,
  RevenueMonthDto,
  RevenueMonthsInput,
  UpcomingInput,
  UpcomingInvoiceDto,
  UpcomingPageDto,
} from "./money-dto.ts";

const month = z.string().regex(/^\d{4}-\d{2}$/, "Write a month as 2026-03.");
const minor = z.bigint();

export const revenueMonthsInput: Schema<RevenueMonthsInput> = z.strictObject({
  from: month.optional(),
  to: month.optional(),
});
export const recurringRevenueInput: Schema<RecurringRevenueInput> = z.strictObject({
  from: inputDate,
  to: inputDate.optional(),
});
export const upcomingInput: Schema<UpcomingInput> = z.strictObject({ ...listShape, until: inputDate.optional() });

export const revenueSummarySchema: Schema<readonly RevenueMonthDto[]> = z.array(
  z.strictObject({
    month: z.string(),
    currency: z.string(),
    chargedMinor: minor,
    voidedMinor: minor,
    refundedMinor: minor,
    revenueMinor: minor,
    badDebtMinor: minor,
    goodwillMinor: minor,
    receivedMinor: minor,
    aheadMinor: minor,
  }),
);

export const recurringRevenueSchema: Schema<readonly RecurringRevenueDto[]> = z.array(
  z.strictObject({
    currency: z.string(),
    startMinor: minor,
    newMinor: minor,
    returnedMinor: minor,
    expansionMinor: minor,
    contractionMinor: minor,
    churnedMinor: minor,
    endMinor: minor,
    subscriptions: z.int(),
  }),
);

export const churnSchema: Schema<readonly ChurnMonthDto[]> = z.array(
  z.strictObject({
    month: z.string(),
    currency: z.string(),
    reason: z.enum(churnReasons),
    subscriptions: z.int(),
    amountMinor: minor,
  }),
);

const bucketSchema: Schema<ReceivablesBucketDto> = z.strictObject({
  currency: z.string(),
  bucket: z.enum(ageBuckets),
  invoices: z.int(),
  amountMinor: minor,
});
const receivableSchema: Schema<ReceivableDto> = z.strictObject({
  invoiceId: z.string(),
  organizationId: z.string(),
  number: z.string().nullable(),
  currency: z.string(),
  amountMinor: minor,
  openedAt: z.date(),
  dueAt: z.date().nullable(),
  ageDays: z.int(),
  bucket: z.enum(ageBuckets),
});
export const receivablePageSchema: Schema<ReceivablePageDto> = z.strictObject({
  items: z.array(receivableSchema),
  nextCursor: z.string().nullable(),
  buckets: z.array(bucketSchema),
});

const marginSchema: Schema<MarginDto> = z.strictObject({
  instanceId: z.string(),
  subscriptionId: z.string(),
  organizationId: z.string(),
  currency: z.string(),
  broughtMinor: minor,
  costMinor: minor.nullable(),
  marginMinor: minor.nullable(),
});
export const marginPageSchema: Schema<MarginPageDto> = pageSchema(marginSchema);

const upcomingSchema: Schema<UpcomingInvoiceDto> = z.strictObject({
  subscriptionId: z.string(),
  organizationId: z.string(),
  number: z.string().nullable(),
  opensAt: z.date(),
  dueAt: z.date(),
  periodEnd: z.date(),
  collectsAt: z.date(),
  currency: z.string(),
  amountMinor: minor,
  fromWalletMinor: minor,
  fromCardMinor: minor,
});
export const upcomingPageSchema: Schema<UpcomingPageDto> = pageSchema(upcomingSchema);
