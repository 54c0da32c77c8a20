import type {
  AppErrorCode,
  AppRouter,
  InstanceDto,
  MoneyDto,
  OperationDto,
  RouterInputs,
  RouterOutputs,
} from "@sewa/api";
import { transformer } from "@sewa/api";
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  splitLink,
  TRPCClientError,
  type TRPCClient,
  wsLink,
} from "@trpc/client";

const url = "https://api.example.com/trpc";

export const api: TRPCClient<AppRouter> = createTRPCClient<AppRouter>({
  links: [
    splitLink({
      condition: ({ type }) => type === "subscription",
      true: wsLink({
        client: createWSClient({ url: "wss://api.example.com/trpc", connectionParams: ticket }),
        transformer,
      }),
      false: httpBatchLink({ url, transformer }),
    }),
  ],
});

async function ticket(): Promise<{ ticket: string }> {
  const { ticket } = await api.auth.socketTicket.mutate();
  return { ticket };
}

/** Orders the cheapest plan: queries, a mutation, money and dates as what they are. */
export async function order(slug: string, name: string): Promise<InstanceDto> {
  const { plans } = await api.offerings.get.query({ slug });
  const [plan] = plans
    .filter(({ price }) => price !== null)
    .sort((a, b) => Number((a.price?.amountMinor ?? 0n) - (b.price?.amountMinor ?? 0n)));
  if (plan === undefined) throw new Error("Nothing to order.");
  const parameters = Object.fromEntries(
    plan.parameters.flatMap((parameter) => (parameter.default === null ? [] : [[parameter.name, parameter.default]])),
  );
  const quote = await api.orders.quote.query({ planId: plan.id, parameters });
  const total: bigint = quote.total.amountMinor;
  const renewal: Date = quote.renewalOpensAt;
  if (!quote.capacity.fits) throw new Error(`${quote.capacity.reason ?? "full"} ${total} ${renewal.toISOString()}`);
  const placed = await api.orders.place.mutate({
    planId: plan.id,
    parameters,
    name,
    priceKey: quote.priceKey,
    idempotencyKey: "order-12345678",
  });
  return api.instances.get.query({ instanceId: placed.subscription.instanceId });
}

export function follow(instanceId: string, show: (text: string) => void): () => void {
  const status = api.instances.onStatus.subscribe(
    { instanceId },
    {
      onData: ({ id, data }) => {
        const running = data.operation?.steps.find((step) => step.status === "running");
        show(`${id}: ${data.observedPhase} ${running?.key ?? data.message ?? ""}`);
      },
      onError: (error) => show(explain(error)),
    },
  );
  const events = api.instances.onEvent.subscribe(
    { instanceId, lastEventId: "0" },
    {
      onData: ({ data }) =>
        show(data.kind === "event" ? `${data.event.sequence} ${data.event.type}` : `again from ${data.sequence}`),
    },
  );
  return () => {
    status.unsubscribe();
    events.unsubscribe();
  };
}

const sentences: Partial<Record<AppErrorCode, string>> = {
  CAPACITY: "There is no room at the moment.",
  PRICE_CHANGED: "The price has changed.",
};

export function explain(error: unknown): string {
  if (!(error instanceof TRPCClientError)) return "Something else.";
  const { data, message } = error as TRPCClientError<AppRouter>;
  if (data == null) return message;
  const fields: readonly string[] = data.issues.map((issue) => `${issue.path}: ${issue.message}`);
  const wait: number | null = data.retryAfterSeconds;
  return [sentences[data.appCode] ?? message, ...fields, wait ?? "", data.requestId ?? ""].join("\n");
}

export function format({ amountMinor, currency }: MoneyDto): string {
  return new Intl.NumberFormat("id-ID", { style: "currency", currency }).format(amountMinor);
}

export type Step = OperationDto["steps"][number]["key"];
export const firstPage: RouterInputs["invoices"]["list"] = { limit: 20 };
export const statuses: Record<RouterOutputs["subscriptions"]["get"]["status"], string> = {
  pending: "waits for payment",
  active: "runs",
  past_due: "not paid",
  expired: "stopped",
  cancelled: "ended",
};
