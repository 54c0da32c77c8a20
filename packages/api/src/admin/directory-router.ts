import {
  cancelJob,
  deleteAccount,
  type CoreContext,
  endImpersonation,
  forceRestart,
  holdInstance,
  impersonate,
  liftHold,
  resetSecondFactor,
  toPublicId,
  removeByForce,
  findInstances,
  findOrders,
  findOrganizations,
  findPayments,
  findSubscriptions,
  findUsers,
  getInstanceEntry,
  getJob,
  getOrderEntry,
  getOrganizationEntry,
  getPaymentEntry,
  getSubscriptionEntry,
  getUserEntry,
  listJobs,
  previewDeletion,
  retryJob,
  suspendUser,
  unsuspendUser,
} from "@sewa/core";
import { deletionPreviewSchema, deletionSchema } from "../account/schema.ts";
import { toDeletionDto, toDeletionPreviewDto } from "../account/to-dto.ts";
import type { DeletionDto, DeletionPreviewDto } from "../auth/dto.ts";
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
  AdminUserDto,
  AdminUserPageDto,
  EndedImpersonationsDto,
  ResetSecondFactorDto,
  StartedImpersonationDto,
  SuspensionDto,
} from "./directory-dto.ts";
import {
  findInput,
  findInstancesInput,
  findOfOrganizationInput,
  findSubscriptionsInput,
  endedImpersonationsSchema,
  endImpersonationInput,
  forceInput,
  holdInput,
  impersonateInput,
  resetSecondFactorSchema,
  startedImpersonationSchema,
  releaseInput,
  removeByForceInput,
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
  subscriptionEntryPageSchema,
  subscriptionEntrySchema,
  subscriptionIdInput,
  suspendUserInput,
  suspensionSchema,
  userEntryPageSchema,
  userEntrySchema,
  userIdInput,
} from "./directory-schema.ts";
import {
  toAdminInstanceDto,
  toAdminOrderDto,
  toAdminOrganizationDto,
  toAdminPaymentDto,
  toAdminSubscriptionDto,
  toAdminUserDto,
  toSuspensionDto,
} from "./directory-to-dto.ts";

const reader = operatorProcedure("admin.directory.read");
const suspender = operatorProcedure("admin.users.suspend");

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

export const adminUsersRouter = {
  list: reader
    .input(findInput)
    .output(userEntryPageSchema)
    .query(async ({ ctx, input }): Promise<AdminUserPageDto> =>
      toPageDto(await findUsers(coreContext(ctx), input), toAdminUserDto),
    ),

  get: reader
    .input(userIdInput)
    .output(userEntrySchema)
    .query(async ({ ctx, input }): Promise<AdminUserDto> =>
      toAdminUserDto(await getUserEntry(coreContext(ctx), uuidOf("user", input.userId))),
    ),

  // They say how it shall be, so saying it twice changes nothing and no key is needed.
  suspend: suspender
    .input(suspendUserInput)
    .output(suspensionSchema)
    .mutation(async ({ ctx, input: { userId, reason } }): Promise<SuspensionDto> =>
      toSuspensionDto(await suspendUser(coreContext(ctx), { userId: uuidOf("user", userId), reason })),
    ),

  unsuspend: suspender
    .input(suspendUserInput)
    .output(suspensionSchema)
    .mutation(async ({ ctx, input: { userId, reason } }): Promise<SuspensionDto> =>
      toSuspensionDto(await unsuspendUser(coreContext(ctx), { userId: uuidOf("user", userId), reason })),
    ),

  previewDeletion: operatorProcedure("admin.users.delete")
    .input(userIdInput)
    .output(deletionPreviewSchema)
    .query(async ({ ctx, input }): Promise<DeletionPreviewDto> =>
      toDeletionPreviewDto(await previewDeletion(coreContext(ctx), uuidOf("user", input.userId))),
    ),

  // Without a key: a user who is gone cannot go again.
  delete: confirmed(operatorProcedure("admin.users.delete"))
    .input(suspendUserInput)
    .output(deletionSchema)
    .mutation(async ({ ctx, input: { userId, reason } }): Promise<DeletionDto> =>
      toDeletionDto(await deleteAccount(coreContext(ctx), { userId: uuidOf("user", userId), reason })),
    ),
  // Without a key: the token that it answers is told once and never stored.
  impersonate: confirmed(operatorProcedure("admin.users.impersonate"))
    .input(impersonateInput)
    .output(startedImpersonationSchema)
    .mutation(async ({ ctx, input: { userId, organizationId, ...wish } }): Promise<StartedImpersonationDto> => {
      const who = { userId: uuidOf("user", userId), organizationId: uuidOf("organization", organizationId) };
      const started = await impersonate(coreContext(ctx), { ...wish, ...who, holder: ctx.identity });
      return { sessionId: toPublicId("session", started.id), token: started.token, endsAt: started.endsAt };
    }),

  endImpersonation: operatorProcedure("admin.users.impersonate")
    .input(endImpersonationInput)
    .output(endedImpersonationsSchema)
    .mutation(async ({ ctx, input: { userId, organizationId } }): Promise<EndedImpersonationsDto> => {
      const who = { userId: uuidOf("user", userId), organizationId: uuidOf("organization", organizationId) };
      return { count: await endImpersonation(coreContext(ctx), who) };
    }),

  // A factor that is off cannot be reset again, so no key is needed.
  resetSecondFactor: confirmed(operatorProcedure("admin.users.resetSecondFactor"))
    .input(suspendUserInput)
    .output(resetSecondFactorSchema)
    .mutation(async ({ ctx, input: { userId, reason } }): Promise<ResetSecondFactorDto> => {
      await resetSecondFactor(coreContext(ctx), { userId: uuidOf("user", userId), reason });
      return { userId };
    }),
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
