import {
  acceptOperatorInvite,
  changePassword,
  completeSignIn,
  confirmSession,
  createSocketTicket,
  getMe,
  logIn,
  logOut,
  register,
  requestPasswordReset,
  resetPassword,
  verifyEmail,
} from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { nothing } from "../schema.ts";
import { despiteExpiredPassword, organizationProcedure, publicProcedure, userProcedure } from "../trpc.ts";
import type {
  AuthStatusDto,
  ConfirmationDto,
  MeDto,
  RenewedSessionDto,
  SessionDto,
  SignInProvidersDto,
  SocketTicketDto,
} from "./dto.ts";
import { identitiesRouter } from "./identities-router.ts";
import { keepRenewed } from "./keep-renewed.ts";
import {
  acceptOperatorInviteInput,
  authStatusSchema,
  changePasswordInput,
  completeSignInInput,
  confirmationSchema,
  confirmInput,
  logInInput,
  meSchema,
  registerInput,
  renewedSessionSchema,
  requestPasswordResetInput,
  resetPasswordInput,
  sessionSchema,
  signInProvidersSchema,
  socketTicketSchema,
  tokenInput,
} from "./schema.ts";
import { sessionsRouter } from "./sessions-router.ts";
import { toMeDto, toUserDto } from "./to-dto.ts";
import { totpRouter } from "./totp-router.ts";

export const authRouter = {
  register: publicProcedure
    .input(registerInput)
    .output(authStatusSchema)
    .mutation(({ ctx, input }): Promise<AuthStatusDto> =>
      register(coreContext(ctx), { ...input, ip: ctx.clientAddress }),
    ),

  verifyEmail: publicProcedure
    .input(tokenInput)
    .output(authStatusSchema)
    .mutation(({ ctx, input }): Promise<AuthStatusDto> => verifyEmail(coreContext(ctx), input)),

  logIn: publicProcedure
    .input(logInInput)
    .output(sessionSchema)
    .mutation(async ({ ctx, input }): Promise<SessionDto> => {
      const from = { ip: ctx.clientAddress, userAgent: ctx.userAgent };
      const { token, session, user } = await logIn(coreContext(ctx), { ...input, ...from });
      ctx.cookies.set(token, session.expiresAt);
      return { token, expiresAt: session.expiresAt, user: toUserDto(user) };
    }),

  providers: publicProcedure
    .input(nothing)
    .output(signInProvidersSchema)
    .query(({ ctx }): SignInProvidersDto => ({
      providers: (coreContext(ctx).signInProviders ?? []).map(({ name, label, canConfirm }) => ({
        name,
        label,
        canConfirm,
      })),
    })),

  completeSignIn: publicProcedure
    .input(completeSignInInput)
    .output(sessionSchema)
    .mutation(async ({ ctx, input }): Promise<SessionDto> => {
      const from = { ip: ctx.clientAddress, userAgent: ctx.userAgent };
      const { token, session, user } = await completeSignIn(coreContext(ctx), { ...input, ...from });
      ctx.cookies.set(token, session.expiresAt);
      return { token, expiresAt: session.expiresAt, user: toUserDto(user) };
    }),

  // Public, because whoever logs out of a session that has ended already is logged out as well.
  logOut: publicProcedure
    .input(nothing)
    .output(authStatusSchema)
    .mutation(async ({ ctx }): Promise<AuthStatusDto> => {
      if (ctx.sessionToken !== null) await logOut(coreContext(ctx), { token: ctx.sessionToken });
      ctx.cookies.clear();
      return { status: "logged_out" };
    }),

  // Programs ask it as well: for whom they speak.
  me: despiteExpiredPassword(organizationProcedure("organization.read"))
    .input(nothing)
    .output(meSchema)
    .query(async ({ ctx }): Promise<MeDto> =>
      toMeDto(await getMe(coreContext(ctx), ctx.identity.userId), ctx.identity.impersonation),
    ),

  requestPasswordReset: publicProcedure
    .input(requestPasswordResetInput)
    .output(authStatusSchema)
    .mutation(({ ctx, input }): Promise<AuthStatusDto> =>
      requestPasswordReset(coreContext(ctx), { ...input, ip: ctx.clientAddress }),
    ),

  resetPassword: publicProcedure
    .input(resetPasswordInput)
    .output(authStatusSchema)
    .mutation(({ ctx, input }): Promise<AuthStatusDto> => resetPassword(coreContext(ctx), input)),

  // Without a key: the password that it changes is asked for.
  changePassword: despiteExpiredPassword(userProcedure)
    .input(changePasswordInput)
    .output(renewedSessionSchema)
    .mutation(async ({ ctx, input }): Promise<RenewedSessionDto> =>
      keepRenewed(ctx, await changePassword(coreContext(ctx), { ...input, ...ctx.identity })),
    ),

  confirm: userProcedure
    .input(confirmInput)
    .output(confirmationSchema)
    .mutation(async ({ ctx, input }): Promise<ConfirmationDto> => ({
      confirmedUntil: await confirmSession(coreContext(ctx), { ...input, ...ctx.identity }),
    })),

  identities: identitiesRouter,
  sessions: sessionsRouter,
  totp: totpRouter,

  socketTicket: userProcedure
    .input(nothing)
    .output(socketTicketSchema)
    .mutation(({ ctx }): Promise<SocketTicketDto> => {
      const { sessionId, userId } = ctx.identity;
      return createSocketTicket(coreContext(ctx), { sessionId, userId });
    }),

  acceptOperatorInvite: publicProcedure
    .input(acceptOperatorInviteInput)
    .output(authStatusSchema)
    .mutation(async ({ ctx, input }): Promise<AuthStatusDto> => {
      await acceptOperatorInvite(coreContext(ctx), input);
      return { status: "accepted" };
    }),
};
