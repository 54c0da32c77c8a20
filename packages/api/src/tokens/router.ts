import { createToken, listTokens, revokeToken } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import type { CreatedTokenDto, TokenDto, TokenPageDto } from "../organizations/dto.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import { createdTokenSchema, createTokenInput, revokeTokenInput, tokenPageSchema, tokenSchema } from "./schema.ts";
import { toTokenDto } from "./to-dto.ts";

export const tokensRouter = {
  // Its answer is never stored: the same key again is refused, because the secret cannot be told twice.
  create: organizationProcedure("token.write")
    .input(createTokenInput)
    .output(createdTokenSchema)
    .mutation(async ({ ctx, input: { allowedNetworks = [], ...input } }): Promise<CreatedTokenDto> => {
      const { token, ...view } = await createToken(coreContext(ctx), { ...input, allowedNetworks });
      return { ...toTokenDto(view), token };
    }),

  list: organizationProcedure("token.read")
    .input(listInput)
    .output(tokenPageSchema)
    .query(async ({ ctx, input }): Promise<TokenPageDto> =>
      toPageDto(await listTokens(coreContext(ctx), input), toTokenDto),
    ),

  // One that was revoked stays so, however often it is said, and no key is needed.
  revoke: organizationProcedure("token.write")
    .input(revokeTokenInput)
    .output(tokenSchema)
    .mutation(async ({ ctx, input: { tokenId } }): Promise<TokenDto> =>
      toTokenDto(await revokeToken(coreContext(ctx), uuidOf("token", tokenId))),
    ),
};
