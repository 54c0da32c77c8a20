export { adjustWallet } from "./adjust-wallet.ts";
export { keepInWallet } from "./keep-in-wallet.ts";
export { creditWallet, debitWallet } from "./move-wallet.ts";
export { listWalletBalances, lockWallet } from "./wallet-balance.ts";
