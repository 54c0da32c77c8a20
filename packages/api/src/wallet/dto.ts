import type { MoneyDto } from "../dto.ts";
import type { PaymentChoiceInput } from "../payments/dto.ts";

/** Fills the wallet by `amount` from a saved card when it holds less than `threshold`. */
export interface AutoTopUpDto {
  /** Off after three refusals in a row, and when the card is removed. */
  readonly isEnabled: boolean;
  readonly threshold: MoneyDto;
  readonly amount: MoneyDto;
  readonly methodId: string;
}

export interface WalletDto {
  /** What it holds, by currency; that in which things are sold is the first. */
  readonly balances: readonly MoneyDto[];
  /** Null when it was never set. */
  readonly autoTopUp: AutoTopUpDto | null;
}

export interface TopUpInput extends PaymentChoiceInput {
  readonly amount: MoneyDto;
}

export interface SetAutoTopUpInput {
  /** In minor units of the currency in which is sold. Null switches it off. */
  readonly autoTopUp: {
    readonly thresholdMinor: bigint;
    readonly amountMinor: bigint;
    readonly methodId: string;
  } | null;
}
