import {
  cancelPayment,
  getPayment,
  listPaymentMethods,
  listPayments,
  removePaymentMethod,
  setAutomaticPayment,
  startPayment,
} from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { PaymentChoiceInput, PaymentDto, PaymentMethodDto, PaymentMethodPageDto, PaymentPageDto } from "./dto.ts";
import {
  cancelPaymentInput,
  listPaymentsInput,
  paymentInput,
  paymentMethodInput,
  paymentMethodPageSchema,
  paymentMethodSchema,
  paymentPageSchema,
  paymentSchema,
  setAutomaticInput,
  startPaymentInput,
} from "./schema.ts";
import { toPaymentDto, toPaymentMethodDto } from "./to-dto.ts";

export const paymentsRouter = {
  start: organizationProcedure("payment.write")
    .input(startPaymentInput)
    .output(paymentSchema)
    .mutation(async ({ ctx, input }): Promise<PaymentDto> => {
      const invoiceId = uuidOf("invoice", input.invoiceId);
      return toPaymentDto(await startPayment(coreContext(ctx), { ...withMethodUuid(input), invoiceId }));
    }),

  cancel: organizationProcedure("payment.write")
    .input(cancelPaymentInput)
    .output(paymentSchema)
    .mutation(async ({ ctx, input: { paymentId, idempotencyKey } }): Promise<PaymentDto> =>
      toPaymentDto(await cancelPayment(coreContext(ctx), { intentId: intentIdOf(paymentId), idempotencyKey })),
    ),

  get: organizationProcedure("payment.read")
    .input(paymentInput)
    .output(paymentSchema)
    .query(async ({ ctx, input }): Promise<PaymentDto> =>
      toPaymentDto(await getPayment(coreContext(ctx), intentIdOf(input.paymentId))),
    ),

  list: organizationProcedure("payment.read")
    .input(listPaymentsInput)
    .output(paymentPageSchema)
    .query(async ({ ctx, input: { invoiceId, ...page } }): Promise<PaymentPageDto> => {
      const filter = invoiceId === undefined ? {} : { invoiceId: uuidOf("invoice", invoiceId) };
      return toPageDto(await listPayments(coreContext(ctx), { ...page, ...filter }), toPaymentDto);
    }),

  listMethods: organizationProcedure("payment.read")
    .input(listInput)
    .output(paymentMethodPageSchema)
    .query(async ({ ctx, input }): Promise<PaymentMethodPageDto> =>
      toPageDto(await listPaymentMethods(coreContext(ctx), input), toPaymentMethodDto),
    ),

  // Both say how it shall be, so saying it twice changes nothing and no key is needed.
  removeMethod: organizationProcedure("payment.write")
    .input(paymentMethodInput)
    .output(paymentMethodSchema)
    .mutation(async ({ ctx, input }): Promise<PaymentMethodDto> =>
      toPaymentMethodDto(await removePaymentMethod(coreContext(ctx), uuidOf("method", input.methodId))),
    ),

  setAutomatic: organizationProcedure("payment.write")
    .input(setAutomaticInput)
    .output(paymentMethodSchema)
    .mutation(async ({ ctx, input: { methodId, isAutomatic } }): Promise<PaymentMethodDto> =>
      toPaymentMethodDto(
        await setAutomaticPayment(coreContext(ctx), { methodId: uuidOf("method", methodId), isAutomatic }),
      ),
    ),
};

export function withMethodUuid<T extends PaymentChoiceInput>(input: T): T {
  return input.methodId === undefined ? input : { ...input, methodId: uuidOf("method", input.methodId) };
}

function intentIdOf(paymentId: string): string {
  return uuidOf("intent", paymentId);
}
