import { deleteAccount, exportData, previewDeletion } from "@sewa/core";
import type { DeletionDto, DeletionPreviewDto, ExportPageDto } from "../auth/dto.ts";
import { coreContext } from "../core-context.ts";
import { toPageDto } from "../page.ts";
import { listInput, nothing } from "../schema.ts";
import { confirmed, userProcedure } from "../trpc.ts";
import { deleteAccountInput, deletionPreviewSchema, deletionSchema, exportPageSchema } from "./schema.ts";
import { toDeletionDto, toDeletionPreviewDto, toExportedRecordDto } from "./to-dto.ts";

/** What somebody may ask of us about themselves. */
export const accountRouter = {
  // A mutation, because it is counted and written down that somebody has read everything.
  export: confirmed(userProcedure)
    .input(listInput)
    .output(exportPageSchema)
    .mutation(async ({ ctx, input }): Promise<ExportPageDto> =>
      toPageDto(await exportData(coreContext(ctx), { ...input, userId: ctx.identity.userId }), toExportedRecordDto),
    ),

  previewDeletion: userProcedure
    .input(nothing)
    .output(deletionPreviewSchema)
    .query(async ({ ctx }): Promise<DeletionPreviewDto> =>
      toDeletionPreviewDto(await previewDeletion(coreContext(ctx), ctx.identity.userId)),
    ),

  // Without a key: an account that is gone cannot go again.
  delete: confirmed(userProcedure)
    .input(deleteAccountInput)
    .output(deletionSchema)
    .mutation(async ({ ctx, input }): Promise<DeletionDto> => {
      const deletion = await deleteAccount(coreContext(ctx), { ...input, userId: ctx.identity.userId });
      ctx.cookies.clear();
      return toDeletionDto(deletion);
    }),
};
