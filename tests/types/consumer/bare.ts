import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  splitLink,
  TRPCClientError,
  type TRPCClient,
  wsLink,
} from "@trpc/client";
import type {
  inferRouterInputs,
  inferRouterOutputs,
  TRPCBuiltRouter,
  TRPCDefaultErrorShape,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPCSubscriptionProcedure,
} from "@trpc/server";
import superjson from "superjson";

// What a frontend pays for tRPC itself: one query, one mutation and one subscription of somebody else's server, used in all
// the ways in which frontend.ts uses ours. Whatever frontend.ts costs on top is due to our procedures.
interface Thing {
  readonly id: string;
}
interface Definition {
  input: Thing;
  output: Thing;
  meta: object;
  errorShape: TRPCDefaultErrorShape;
}
interface StreamDefinition {
  input: Thing;
  output: AsyncIterable<Thing, void, unknown>;
  meta: object;
  errorShape: TRPCDefaultErrorShape;
}
type Router = TRPCBuiltRouter<
  { ctx: object; meta: object; errorShape: TRPCDefaultErrorShape; transformer: true },
  {
    things: {
      get: TRPCQueryProcedure<Definition>;
      add: TRPCMutationProcedure<Definition>;
      onChange: TRPCSubscriptionProcedure<StreamDefinition>;
    };
  }
>;

export const api: TRPCClient<Router> = createTRPCClient<Router>({
  links: [
    splitLink({
      condition: ({ type }) => type === "subscription",
      true: wsLink({ client: createWSClient({ url: "wss://api.example.com/trpc" }), transformer: superjson }),
      false: httpBatchLink({ url: "https://api.example.com/trpc", transformer: superjson }),
    }),
  ],
});

export async function use(
  input: inferRouterInputs<Router>["things"]["get"],
): Promise<inferRouterOutputs<Router>["things"]["get"]> {
  const { id } = await api.things.get.query(input);
  return api.things.add.mutate({ id });
}

export function follow(show: (text: string) => void): () => void {
  const stream = api.things.onChange.subscribe(
    { id: "1" },
    { onData: ({ id }) => show(id), onError: (error) => show(explain(error)) },
  );
  return () => stream.unsubscribe();
}

export function explain(error: unknown): string {
  if (!(error instanceof TRPCClientError)) return "Something else.";
  const { data, message } = error as TRPCClientError<Router>;
  return data == null ? message : data.code;
}
