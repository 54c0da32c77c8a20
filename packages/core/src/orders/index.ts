export { placeOrder, type PlaceOrderInput } from "./place-order.ts";
export { deriveOrderStatus, getOrder, listOrders, type OrderRow, type OrderStatus, type OrderView } from "./queries.ts";
export { type Quote, type QuoteInput, quoteOrder } from "./quote-order.ts";
