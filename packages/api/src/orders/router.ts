import { getOrder, listOrders, placeOrder, quoteOrder } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { OrderDto, OrderPageDto, QuoteDto } from "./dto.ts";
import { orderInput, orderPageSchema, orderSchema, placeOrderInput, quoteInput, quoteSchema } from "./schema.ts";
import { toOrderDto, toQuoteDto } from "./to-dto.ts";

export const ordersRouter = {
  quote: organizationProcedure("order.place")
    .input(quoteInput)
    .output(quoteSchema)
    .query(async ({ ctx, input }): Promise<QuoteDto> =>
      toQuoteDto(await quoteOrder(coreContext(ctx), { ...input, planId: uuidOf("plan", input.planId) })),
    ),

  place: organizationProcedure("order.place")
    .input(placeOrderInput)
    .output(orderSchema)
    .mutation(async ({ ctx, input }): Promise<OrderDto> =>
      toOrderDto(await placeOrder(coreContext(ctx), { ...input, planId: uuidOf("plan", input.planId) })),
    ),

  list: organizationProcedure("order.read")
    .input(listInput)
    .output(orderPageSchema)
    .query(async ({ ctx, input }): Promise<OrderPageDto> =>
      toPageDto(await listOrders(coreContext(ctx), input), toOrderDto),
    ),

  get: organizationProcedure("order.read")
    .input(orderInput)
    .output(orderSchema)
    .query(async ({ ctx, input }): Promise<OrderDto> =>
      toOrderDto(await getOrder(coreContext(ctx), uuidOf("order", input.orderId))),
    ),
};
