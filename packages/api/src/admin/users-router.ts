import {
  deleteAccount,
  endImpersonation,
  findUsers,
  getUserEntry,
  impersonate,
  previewDeletion,
  resetSecondFactor,
  suspendUser,
  toPublicId,
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
  AdminUserDto,
  AdminUserPageDto,
  EndedImpersonationsDto,
  ResetSecondFactorDto,
  StartedImpersonationDto,
  SuspensionDto,
} from "./directory-dto.ts";
import {
  endedImpersonationsSchema,
  endImpersonationInput,
  findInput,
  impersonateInput,
  resetSecondFactorSchema,
  startedImpersonationSchema,
  userReasonInput,
  suspensionSchema,
  userEntryPageSchema,
  userEntrySchema,
  userIdInput,
} from "./directory-schema.ts";
import { toAdminUserDto, toSuspensionDto } from "./directory-to-dto.ts";

const reader = operatorProcedure("admin.directory.read");
const suspender = operatorProcedure("admin.users.suspend");

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
    .input(userReasonInput)
    .output(suspensionSchema)
    .mutation(async ({ ctx, input: { userId, reason } }): Promise<SuspensionDto> =>
      toSuspensionDto(await suspendUser(coreContext(ctx), { userId: uuidOf("user", userId), reason })),
    ),

  unsuspend: suspender
    .input(userReasonInput)
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
    .input(userReasonInput)
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
    .input(userReasonInput)
    .output(resetSecondFactorSchema)
    .mutation(async ({ ctx, input: { userId, reason } }): Promise<ResetSecondFactorDto> => {
      await resetSecondFactor(coreContext(ctx), { userId: uuidOf("user", userId), reason });
      return { userId };
    }),
};
