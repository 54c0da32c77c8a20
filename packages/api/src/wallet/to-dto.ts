import { toPublicId, type WalletView } from "@sewa/core";
import type { AutoTopUpDto, WalletDto } from "./dto.ts";

export function toWalletDto({ balances, autoTopUp }: WalletView): WalletDto {
  return {
    balances: balances.map(({ amountMinor, currency }) => ({ amountMinor, currency })),
    autoTopUp: autoTopUp === null ? null : toAutoTopUpDto(autoTopUp),
  };
}

function toAutoTopUpDto(setting: NonNullable<WalletView["autoTopUp"]>): AutoTopUpDto {
  const { isEnabled, thresholdMinor, amountMinor, currency, methodId } = setting;
  return {
    isEnabled,
    threshold: { amountMinor: thresholdMinor, currency },
    amount: { amountMinor, currency },
    methodId: toPublicId("method", methodId),
  };
}
