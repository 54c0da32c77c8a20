import {
  executePlan,
  getChange,
  getInstance,
  getInstanceMetrics,
  getInstanceUptime,
  listChanges,
  listEvents,
  listInstances,
  planChange,
  restartInstance,
  revealCredentials,
  startInstance,
  stopInstance,
} from "@sewa/core";
import { coreContext } from "../core-context.ts";
import type { EventPageDto } from "../events/dto.ts";
import { eventPageSchema } from "../events/schema.ts";
import { toEventDto } from "../events/to-dto.ts";
import { uuidOf } from "../ids.ts";
import type { OperationDto } from "../operations/dto.ts";
import { operationSchema } from "../operations/schema.ts";
import { toOperationDto } from "../operations/to-dto.ts";
import { toPageDto } from "../page.ts";
import { type Stream, streamOf } from "../streams.ts";
import { confirmed, organizationProcedure } from "../trpc.ts";
import type { InstanceUptimeDto } from "../uptime/dto.ts";
import { instanceUptimeInput, instanceUptimeSchema } from "../uptime/schema.ts";
import { toInstanceUptimeDto } from "../uptime/to-dto.ts";
import type { InstanceMetricsDto } from "../usage/dto.ts";
import { instanceMetricsInput, instanceMetricsSchema } from "../usage/schema.ts";
import { toInstanceMetricsDto } from "../usage/to-dto.ts";
import type { ChangeDto, ChangePageDto } from "./change-dto.ts";
import {
  changeInput,
  changePageSchema,
  changeSchema,
  executePlanInput,
  listPlansInput,
  planChangeInput,
} from "./change-schema.ts";
import { toChangeDto, toChangeRequest } from "./change-to-dto.ts";
import type {
  CredentialsDto,
  EventStreamDto,
  InstanceDto,
  InstancePageDto,
  LogsDto,
  LogStreamDto,
  PodsDto,
} from "./dto.ts";
import { readInstanceLogs, streamInstanceLog } from "./logs.ts";
import {
  credentialsSchema,
  eventStreamSchema,
  instanceEventsInput,
  instanceInput,
  instancePageSchema,
  instanceSchema,
  listInstancesInput,
  logsInput,
  logsSchema,
  logStreamSchema,
  onEventInput,
  onLogInput,
  onStatusInput,
  operateInstanceInput,
  podsSchema,
} from "./schema.ts";
import { streamEvents, streamStatus } from "./streams.ts";
import { toCredentialsDto, toInstanceDto, toPodDto } from "./to-dto.ts";

export const instancesRouter = {
  list: organizationProcedure("instance.read")
    .input(listInstancesInput)
    .output(instancePageSchema)
    .query(async ({ ctx, input }): Promise<InstancePageDto> =>
      toPageDto(await listInstances(coreContext(ctx), input), toInstanceDto),
    ),

  get: organizationProcedure("instance.read")
    .input(instanceInput)
    .output(instanceSchema)
    .query(async ({ ctx, input }): Promise<InstanceDto> =>
      toInstanceDto(await getInstance(coreContext(ctx), uuidOf("instance", input.instanceId))),
    ),

  start: organizationProcedure("instance.operate")
    .input(operateInstanceInput)
    .output(operationSchema)
    .mutation(async ({ ctx, input }): Promise<OperationDto> =>
      toOperationDto(await startInstance(coreContext(ctx), withUuid(input))),
    ),

  stop: organizationProcedure("instance.operate")
    .input(operateInstanceInput)
    .output(operationSchema)
    .mutation(async ({ ctx, input }): Promise<OperationDto> =>
      toOperationDto(await stopInstance(coreContext(ctx), withUuid(input))),
    ),

  restart: organizationProcedure("instance.operate")
    .input(operateInstanceInput)
    .output(operationSchema)
    .mutation(async ({ ctx, input }): Promise<OperationDto> =>
      toOperationDto(await restartInstance(coreContext(ctx), withUuid(input))),
    ),

  plan: organizationProcedure("instance.change")
    .input(planChangeInput)
    .output(changeSchema)
    .mutation(async ({ ctx, input: { change, ...input } }): Promise<ChangeDto> =>
      toChangeDto(await planChange(coreContext(ctx), { ...withUuid(input), request: toChangeRequest(change) })),
    ),

  getPlan: organizationProcedure("instance.read")
    .input(changeInput)
    .output(changeSchema)
    .query(async ({ ctx, input }): Promise<ChangeDto> =>
      toChangeDto(await getChange(coreContext(ctx), uuidOf("change", input.changeId))),
    ),

  listPlans: organizationProcedure("instance.read")
    .input(listPlansInput)
    .output(changePageSchema)
    .query(async ({ ctx, input: { instanceId, ...page } }): Promise<ChangePageDto> => {
      const filter = instanceId === undefined ? {} : { instanceId: uuidOf("instance", instanceId) };
      return toPageDto(await listChanges(coreContext(ctx), { ...page, ...filter }), toChangeDto);
    }),

  // Whoever types the name again wants the app removed; without it core removes nothing.
  executePlan: confirmed(organizationProcedure("instance.change"), hasConfirmName)
    .input(executePlanInput)
    .output(changeSchema)
    .mutation(async ({ ctx, input }): Promise<ChangeDto> =>
      toChangeDto(await executePlan(coreContext(ctx), { ...input, changeId: uuidOf("change", input.changeId) })),
    ),

  // A mutation because it is audited; without a key because its answer is never stored.
  revealCredentials: confirmed(organizationProcedure("instance.revealCredentials"))
    .input(instanceInput)
    .output(credentialsSchema)
    .mutation(async ({ ctx, input }): Promise<CredentialsDto> =>
      toCredentialsDto(await revealCredentials(coreContext(ctx), uuidOf("instance", input.instanceId))),
    ),

  events: organizationProcedure("event.read")
    .input(instanceEventsInput)
    .output(eventPageSchema)
    .query(async ({ ctx, input: { instanceId, ...page } }): Promise<EventPageDto> => {
      const { instance } = await getInstance(coreContext(ctx), uuidOf("instance", instanceId));
      return toPageDto(await listEvents(coreContext(ctx), { ...page, instanceId: instance.id }), toEventDto);
    }),

  pods: organizationProcedure("instance.read")
    .input(instanceInput)
    .output(podsSchema)
    .query(async ({ ctx, input }): Promise<PodsDto> => {
      const { instance, pods } = await getInstance(coreContext(ctx), uuidOf("instance", input.instanceId));
      return { items: pods.map(toPodDto), observedAt: instance.observedAt };
    }),

  metrics: organizationProcedure("instance.read")
    .input(instanceMetricsInput)
    .output(instanceMetricsSchema)
    .query(async ({ ctx, input: { range = "24h", ...input } }): Promise<InstanceMetricsDto> =>
      toInstanceMetricsDto(await getInstanceMetrics(coreContext(ctx), { ...withUuid(input), range })),
    ),

  uptime: organizationProcedure("instance.read")
    .input(instanceUptimeInput)
    .output(instanceUptimeSchema)
    .query(async ({ ctx, input: { days = 30, ...input } }): Promise<InstanceUptimeDto> =>
      toInstanceUptimeDto(await getInstanceUptime(coreContext(ctx), { ...withUuid(input), days })),
    ),

  logs: organizationProcedure("instance.readLogs")
    .input(logsInput)
    .output(logsSchema)
    .query(({ ctx, input, signal }): Promise<LogsDto> => readInstanceLogs(ctx, withUuid(input), signal)),

  onLog: organizationProcedure("instance.readLogs")
    .input(onLogInput)
    .output(streamOf(logStreamSchema))
    .subscription(({ ctx, input, signal }): Stream<LogStreamDto> => streamInstanceLog(ctx, withUuid(input), signal)),

  onStatus: organizationProcedure("instance.read")
    .input(onStatusInput)
    .output(streamOf(instanceSchema))
    .subscription(({ ctx, input: { instanceId, lastEventId }, signal }): Stream<InstanceDto> =>
      streamStatus(ctx, { instanceId: uuidOf("instance", instanceId), lastEventId, signal }),
    ),

  onEvent: organizationProcedure("event.read")
    .input(onEventInput)
    .output(streamOf(eventStreamSchema))
    .subscription(({ ctx, input: { instanceId, lastEventId }, signal }): Stream<EventStreamDto> =>
      streamEvents(ctx, {
        lastEventId,
        signal,
        ...(instanceId !== undefined && { instanceId: uuidOf("instance", instanceId) }),
      }),
    ),
};

function hasConfirmName(input: unknown): boolean {
  return typeof input === "object" && input !== null && "confirmName" in input;
}

function withUuid<T extends { readonly instanceId: string }>(input: T): T {
  return { ...input, instanceId: uuidOf("instance", input.instanceId) };
}
