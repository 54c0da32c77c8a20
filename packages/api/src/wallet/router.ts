import { getWallet, setAutoTopUp, startTopUp } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import type { PaymentDto } from "../payments/dto.ts";
import { withMethodUuid } from "../payments/router.ts";
import { paymentSchema } from "../payments/schema.ts";
import { toPaymentDto } from "../payments/to-dto.ts";
import { nothing } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { WalletDto } from "./dto.ts";
import { setAutoTopUpInput, topUpInput, walletSchema } from "./schema.ts";
import { toWalletDto } from "./to-dto.ts";

export const walletRouter = {
  get: organizationProcedure("wallet.read")
    .input(nothing)
    .output(walletSchema)
    .query(async ({ ctx }): Promise<WalletDto> => toWalletDto(await getWallet(coreContext(ctx)))),

  topUp: organizationProcedure("wallet.write")
    .input(topUpInput)
    .output(paymentSchema)
    .mutation(async ({ ctx, input: { amount, ...choice } }): Promise<PaymentDto> =>
      toPaymentDto(await startTopUp(coreContext(ctx), { ...withMethodUuid(choice), ...amount })),
    ),

  // Says how it shall be, so saying it twice changes nothing and no key is needed.
  setAutoTopUp: organizationProcedure("wallet.write")
    .input(setAutoTopUpInput)
    .output(walletSchema)
    .mutation(async ({ ctx, input: { autoTopUp } }): Promise<WalletDto> => {
      const wanted = autoTopUp === null ? null : { ...autoTopUp, methodId: uuidOf("method", autoTopUp.methodId) };
      return toWalletDto(await setAutoTopUp(coreContext(ctx), wanted));
    }),
};
