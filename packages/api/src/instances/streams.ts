import { getInstance, listEventsAfter, readEventBounds } from "@sewa/core";
import type { Context, OpaqueCore } from "../context.ts";
import { coreContext } from "../core-context.ts";
import { toEventDto } from "../events/to-dto.ts";
import { type Stream, streamLog, streamSnapshots } from "../streams.ts";
import type { EventStreamDto, InstanceDto } from "./dto.ts";
import { toInstanceDto } from "./to-dto.ts";

const eventPageSize = 100;

type StreamContext = Context & {
  readonly core: OpaqueCore;
  readonly identity: { readonly organizationId: string };
  confirm(): Promise<void>;
};

interface StreamInput {
  readonly lastEventId: string | null | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The instance as it is, then each time that it has changed, until nothing is left of it. Throws NOT_FOUND. */
export async function* streamStatus(
  ctx: StreamContext,
  input: StreamInput & { readonly instanceId: string },
): Stream<InstanceDto> {
  const changes = ctx.openFeed(ctx.identity.organizationId, input.signal);
  try {
    yield* streamSnapshots({
      read: async () => {
        await ctx.confirm();
        return toInstanceDto(await getInstance(coreContext(ctx), input.instanceId));
      },
      versionOf: ({ revision }) => revision,
      hasEnded: ({ removedAt }) => removedAt !== null,
      changes,
      lastEventId: input.lastEventId,
    });
  } finally {
    changes.close();
  }
}

/** The organization's events, of one instance or of all. */
export async function* streamEvents(
  ctx: StreamContext,
  input: StreamInput & { readonly instanceId?: string },
): Stream<EventStreamDto> {
  const changes = ctx.openFeed(ctx.identity.organizationId, input.signal);
  const filter = input.instanceId === undefined ? {} : { instanceId: input.instanceId };
  const core = coreContext(ctx);
  try {
    if (input.instanceId !== undefined) await getInstance(core, input.instanceId);
    yield* streamLog<EventStreamDto>({
      log: {
        pageSize: eventPageSize,
        bounds: () => readEventBounds(core),
        after: async (sequence) => {
          await ctx.confirm();
          const rows = await listEventsAfter(core, { sequence, limit: eventPageSize, ...filter });
          return rows.map((row) => ({
            sequence: row.sequence,
            item: { kind: "event", event: toEventDto(row) } as const,
          }));
        },
        reset: (sequence) => ({ kind: "reset", sequence }),
      },
      changes,
      flushed: () => ctx.flushed(),
      lastEventId: input.lastEventId,
    });
  } finally {
    changes.close();
  }
}
