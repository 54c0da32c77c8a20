import { beginTotp, disableTotp, enableTotp, getTotpStatus, renewRecoveryCodes } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { nothing } from "../schema.ts";
import { confirmed, userProcedure } from "../trpc.ts";
import type { EnabledTotpDto, RecoveryCodesDto, RenewedSessionDto, TotpDto, TotpSecretDto } from "./dto.ts";
import {
  codeInput,
  enabledTotpSchema,
  recoveryCodesSchema,
  renewedSessionSchema,
  totpSchema,
  totpSecretSchema,
} from "./schema.ts";
import { keepRenewed } from "./keep-renewed.ts";

/** Without keys: what they answer is told once and never stored. */
export const totpRouter = {
  status: userProcedure
    .input(nothing)
    .output(totpSchema)
    .query(({ ctx }): Promise<TotpDto> => getTotpStatus(coreContext(ctx), ctx.identity)),

  // Confirmed, so that who has found a machine open does not lock its owner out with a factor of their own.
  begin: confirmed(userProcedure)
    .input(nothing)
    .output(totpSecretSchema)
    .mutation(({ ctx }): Promise<TotpSecretDto> => beginTotp(coreContext(ctx), ctx.identity)),

  enable: userProcedure
    .input(codeInput)
    .output(enabledTotpSchema)
    .mutation(async ({ ctx, input }): Promise<EnabledTotpDto> => {
      const { recoveryCodes, ...renewed } = await enableTotp(coreContext(ctx), { ...ctx.identity, ...input });
      return { ...keepRenewed(ctx, renewed), recoveryCodes };
    }),

  disable: confirmed(userProcedure)
    .input(nothing)
    .output(renewedSessionSchema)
    .mutation(async ({ ctx }): Promise<RenewedSessionDto> =>
      keepRenewed(ctx, await disableTotp(coreContext(ctx), ctx.identity)),
    ),

  renewRecoveryCodes: confirmed(userProcedure)
    .input(nothing)
    .output(recoveryCodesSchema)
    .mutation(async ({ ctx }): Promise<RecoveryCodesDto> => ({
      recoveryCodes: await renewRecoveryCodes(coreContext(ctx), ctx.identity),
    })),
};
