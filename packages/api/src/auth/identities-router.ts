import { getSignInMethods, prepareSignIn, type PreparedSignIn, unlinkIdentity } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { nothing } from "../schema.ts";
import { confirmed, userProcedure } from "../trpc.ts";
import type { AuthStatusDto, PreparedSignInDto, SignInMethodsDto } from "./dto.ts";
import {
  authStatusSchema,
  preparedSignInSchema,
  prepareSignInInput,
  signInMethodsSchema,
  unlinkIdentityInput,
} from "./schema.ts";
import { toSignInMethodsDto } from "./to-dto.ts";

/** Without keys: a ticket is good once, and what was unlinked cannot be unlinked again. */
export const identitiesRouter = {
  get: userProcedure
    .input(nothing)
    .output(signInMethodsSchema)
    .query(async ({ ctx }): Promise<SignInMethodsDto> =>
      toSignInMethodsDto(await getSignInMethods(coreContext(ctx), ctx.identity)),
    ),

  link: confirmed(userProcedure)
    .input(prepareSignInInput)
    .output(preparedSignInSchema)
    .mutation(async ({ ctx, input }): Promise<PreparedSignInDto> => {
      const { userId, sessionId } = ctx.identity;
      const prepared = await prepareSignIn(coreContext(ctx), { ...input, userId, sessionId, purpose: "link" });
      return toPreparedDto(input.provider, prepared);
    }),

  // For who has no password: a code and a password are shown to `auth.confirm`.
  confirm: userProcedure
    .input(prepareSignInInput)
    .output(preparedSignInSchema)
    .mutation(async ({ ctx, input }): Promise<PreparedSignInDto> => {
      const { userId, sessionId } = ctx.identity;
      const prepared = await prepareSignIn(coreContext(ctx), { ...input, userId, sessionId, purpose: "confirm" });
      return toPreparedDto(input.provider, prepared);
    }),

  unlink: confirmed(userProcedure)
    .input(unlinkIdentityInput)
    .output(authStatusSchema)
    .mutation(async ({ ctx, input }): Promise<AuthStatusDto> => {
      const identityId = uuidOf("identity", input.identityId);
      await unlinkIdentity(coreContext(ctx), { ...ctx.identity, identityId });
      return { status: "unlinked" };
    }),
};

/** The name is one that is configured, so that it stands in an address as it is. */
function toPreparedDto(provider: string, { ticket, expiresAt }: PreparedSignIn): PreparedSignInDto {
  return { path: `/sign-in/${provider}?ticket=${ticket}`, expiresAt };
}
