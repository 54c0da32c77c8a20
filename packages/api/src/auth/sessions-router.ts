import { listSessions, revokeOtherSessions, revokeSession } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput, nothing } from "../schema.ts";
import { userProcedure } from "../trpc.ts";
import type { AuthStatusDto, OpenSessionPageDto, RevokedSessionsDto } from "./dto.ts";
import { authStatusSchema, openSessionPageSchema, revokedSessionsSchema, revokeSessionInput } from "./schema.ts";
import { toOpenSessionDto } from "./to-dto.ts";

/** Without keys: a session that has ended cannot end again. */
export const sessionsRouter = {
  list: userProcedure
    .input(listInput)
    .output(openSessionPageSchema)
    .query(async ({ ctx, input }): Promise<OpenSessionPageDto> =>
      toPageDto(await listSessions(coreContext(ctx), { ...input, ...ctx.identity }), toOpenSessionDto),
    ),

  revoke: userProcedure
    .input(revokeSessionInput)
    .output(authStatusSchema)
    .mutation(async ({ ctx, input: { sessionId } }): Promise<AuthStatusDto> => {
      await revokeSession(coreContext(ctx), { ...ctx.identity, id: uuidOf("session", sessionId) });
      return { status: "revoked" };
    }),

  revokeOthers: userProcedure
    .input(nothing)
    .output(revokedSessionsSchema)
    .mutation(async ({ ctx }): Promise<RevokedSessionsDto> => ({
      count: await revokeOtherSessions(coreContext(ctx), ctx.identity),
    })),
};
