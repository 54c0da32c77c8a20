export { type AuthenticatedToken, authenticateToken, type ShownToken } from "./authenticate-token.ts";
export { type CreatedToken, type CreateToken, createToken } from "./create-token.ts";
export { maxNetworks } from "./networks.ts";
export { listTokens } from "./queries.ts";
export { revokeToken, revokeTokensOf } from "./revoke-token.ts";
export { maxLivingTokens, type TokenLifeDays, tokenLivesDays, type TokenStatus, type TokenView } from "./token.ts";
