import {
  cancelJob,
  deleteAccount,
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
  SuspensionDto,
} from "./directory-dto.ts";
import {
  findInput,
  findInstancesInput,
  findOfOrganizationInput,
  findSubscriptionsInput,
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

export const adminInstancesRouter = {
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
