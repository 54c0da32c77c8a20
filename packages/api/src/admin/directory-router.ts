import {
  cancelJob,
  type CoreContext,
  findInstances,
  findOrders,
  findOrganizations,
  findPayments,
  findSubscriptions,
  forceRestart,
  getInstanceEntry,
  getJob,
  getOrderEntry,
  getOrganizationEntry,
  getPaymentEntry,
  getSubscriptionEntry,
  holdInstance,
  liftHold,
  listJobs,
  removeByForce,
  retryJob,
} from "@sewa/core";
import type { Context } from "../context.ts";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { confirmed, operatorProcedure } from "../trpc.ts";
import type {
  AdminInstanceDto,
  AdminInstancePageDto,
  AdminJobDto,
  AdminJobPageDto,
  AdminOrderDto,
  AdminOrderPageDto,
  AdminOrganizationDto,
  AdminOrganizationPageDto,
  AdminPaymentDto,
  AdminPaymentPageDto,
  AdminSubscriptionDto,
  AdminSubscriptionPageDto,
} from "./directory-dto.ts";
import {
  findInput,
  findInstancesInput,
  findOfOrganizationInput,
  findSubscriptionsInput,
  forceInput,
  holdInput,
  instanceEntryPageSchema,
  instanceEntrySchema,
  instanceIdInput,
  jobIdInput,
  jobPageSchema,
  jobSchema,
  listJobsInput,
  orderEntryPageSchema,
  orderEntrySchema,
  orderIdInput,
  organizationEntryPageSchema,
  organizationEntrySchema,
  organizationIdInput,
  paymentEntryPageSchema,
  paymentEntrySchema,
  paymentIdInput,
  releaseInput,
  removeByForceInput,
  subscriptionEntryPageSchema,
  subscriptionEntrySchema,
  subscriptionIdInput,
} from "./directory-schema.ts";
import {
  toAdminInstanceDto,
  toAdminOrderDto,
  toAdminOrganizationDto,
  toAdminPaymentDto,
  toAdminSubscriptionDto,
} from "./directory-to-dto.ts";

const reader = operatorProcedure("admin.directory.read");

/** The house's own uuid in what narrows a list; one that nobody has finds nothing. */
const within = <T extends { readonly organizationId?: string | undefined }>({ organizationId, ...input }: T) => ({
  ...input,
  ...(organizationId === undefined ? {} : { organizationId: uuidOf("organization", organizationId) }),
});

export const adminOrganizationsRouter = {
  list: reader
    .input(findInput)
    .output(organizationEntryPageSchema)
    .query(async ({ ctx, input }): Promise<AdminOrganizationPageDto> =>
      toPageDto(await findOrganizations(coreContext(ctx), input), toAdminOrganizationDto),
    ),

  get: reader
    .input(organizationIdInput)
    .output(organizationEntrySchema)
    .query(async ({ ctx, input }): Promise<AdminOrganizationDto> =>
      toAdminOrganizationDto(
        await getOrganizationEntry(coreContext(ctx), uuidOf("organization", input.organizationId)),
      ),
    ),
};

export const adminOrdersRouter = {
  list: reader
    .input(findOfOrganizationInput)
    .output(orderEntryPageSchema)
    .query(async ({ ctx, input }): Promise<AdminOrderPageDto> =>
      toPageDto(await findOrders(coreContext(ctx), within(input)), toAdminOrderDto),
    ),

  get: reader
    .input(orderIdInput)
    .output(orderEntrySchema)
    .query(async ({ ctx, input }): Promise<AdminOrderDto> =>
      toAdminOrderDto(await getOrderEntry(coreContext(ctx), uuidOf("order", input.orderId))),
    ),
};

export const adminSubscriptionsRouter = {
  list: reader
    .input(findSubscriptionsInput)
    .output(subscriptionEntryPageSchema)
    .query(async ({ ctx, input }): Promise<AdminSubscriptionPageDto> =>
      toPageDto(await findSubscriptions(coreContext(ctx), within(input)), toAdminSubscriptionDto),
    ),

  get: reader
    .input(subscriptionIdInput)
    .output(subscriptionEntrySchema)
    .query(async ({ ctx, input }): Promise<AdminSubscriptionDto> =>
      toAdminSubscriptionDto(
        await getSubscriptionEntry(coreContext(ctx), uuidOf("subscription", input.subscriptionId)),
      ),
    ),
};

/** Does something to an app in the organization that it belongs to, and shows what it is then. */
async function act(
  ctx: Pick<Context, "core">,
  publicInstanceId: string,
  verb: (core: CoreContext, instanceId: string) => Promise<unknown>,
): Promise<AdminInstanceDto> {
  const core = coreContext(ctx);
  const instanceId = uuidOf("instance", publicInstanceId);
  // Looked for first: an organization that nobody has could not even hold the record of the key.
  const { organizationId } = await getInstanceEntry(core, instanceId);
  await verb(core.forOrganization(organizationId), instanceId);
  return toAdminInstanceDto(await getInstanceEntry(core, instanceId));
}

export const adminInstancesRouter = {
  hold: operatorProcedure("admin.instances.hold")
    .input(holdInput)
    .output(instanceEntrySchema)
    .mutation(({ ctx, input: { message = null, ...input } }): Promise<AdminInstanceDto> =>
      act(ctx, input.instanceId, (core, instanceId) => holdInstance(core, { ...input, message, instanceId })),
    ),

  release: operatorProcedure("admin.instances.hold")
    .input(releaseInput)
    .output(instanceEntrySchema)
    .mutation(({ ctx, input }): Promise<AdminInstanceDto> =>
      act(ctx, input.instanceId, (core, instanceId) => liftHold(core, { ...input, instanceId })),
    ),

  restart: operatorProcedure("admin.instances.restart")
    .input(forceInput)
    .output(instanceEntrySchema)
    .mutation(({ ctx, input }): Promise<AdminInstanceDto> =>
      act(ctx, input.instanceId, (core, instanceId) => forceRestart(core, { ...input, instanceId })),
    ),

  remove: confirmed(operatorProcedure("admin.instances.remove"))
    .input(removeByForceInput)
    .output(instanceEntrySchema)
    .mutation(({ ctx, input: { message = null, confirmName = null, ...input } }): Promise<AdminInstanceDto> =>
      act(ctx, input.instanceId, (core, instanceId) =>
        removeByForce(core, { ...input, message, confirmName, instanceId }),
      ),
    ),

  list: reader
    .input(findInstancesInput)
    .output(instanceEntryPageSchema)
    .query(async ({ ctx, input }): Promise<AdminInstancePageDto> =>
      toPageDto(await findInstances(coreContext(ctx), within(input)), toAdminInstanceDto),
    ),

  get: reader
    .input(instanceIdInput)
    .output(instanceEntrySchema)
    .query(async ({ ctx, input }): Promise<AdminInstanceDto> =>
      toAdminInstanceDto(await getInstanceEntry(coreContext(ctx), uuidOf("instance", input.instanceId))),
    ),
};

/** Beside `record`, which writes one down. */
export const adminPaymentLists = {
  list: reader
    .input(findOfOrganizationInput)
    .output(paymentEntryPageSchema)
    .query(async ({ ctx, input }): Promise<AdminPaymentPageDto> =>
      toPageDto(await findPayments(coreContext(ctx), within(input)), toAdminPaymentDto),
    ),

  get: reader
    .input(paymentIdInput)
    .output(paymentEntrySchema)
    .query(async ({ ctx, input }): Promise<AdminPaymentDto> =>
      toAdminPaymentDto(await getPaymentEntry(coreContext(ctx), uuidOf("payment", input.paymentId))),
    ),
};

export const adminJobsRouter = {
  list: operatorProcedure("admin.jobs.read")
    .input(listJobsInput)
    .output(jobPageSchema)
    .query(async ({ ctx, input }): Promise<AdminJobPageDto> => listJobs(coreContext(ctx), input)),

  get: operatorProcedure("admin.jobs.read")
    .input(jobIdInput)
    .output(jobSchema)
    .query(async ({ ctx, input }): Promise<AdminJobDto> => getJob(coreContext(ctx), input.jobId)),

  // Both say how it shall be, so saying it twice changes nothing and no key is needed.
  retry: operatorProcedure("admin.jobs.write")
    .input(jobIdInput)
    .output(jobSchema)
    .mutation(async ({ ctx, input }): Promise<AdminJobDto> => retryJob(coreContext(ctx), input.jobId)),

  cancel: operatorProcedure("admin.jobs.write")
    .input(jobIdInput)
    .output(jobSchema)
    .mutation(async ({ ctx, input }): Promise<AdminJobDto> => cancelJob(coreContext(ctx), input.jobId)),
};
