import { maxNetworks, tokenLivesDays, tokenScopeNames } from "@sewa/core";
import { z } from "zod";
import type {
  CreatedTokenDto,
  CreateTokenInput,
  RevokeTokenInput,
  TokenDto,
  TokenPageDto,
  TokenScopeDto,
} from "../organizations/dto.ts";
import { idempotencyKey, name, opaque, pageSchema, publicId, type Schema } from "../schema.ts";

const maxNetworkCharacters = 60;
const scope: Schema<TokenScopeDto> = z.enum(tokenScopeNames);

export const createTokenInput: Schema<CreateTokenInput> = z.strictObject({
  name,
  scopes: z.array(scope).min(1, "Name at least one scope.").max(tokenScopeNames.length),
  expiresInDays: z.literal(tokenLivesDays).nullable(),
  allowedNetworks: z.array(opaque(maxNetworkCharacters)).max(maxNetworks).optional(),
  idempotencyKey,
});
export const revokeTokenInput: Schema<RevokeTokenInput> = z.strictObject({ tokenId: publicId });

const tokenShape = {
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  userId: z.string(),
  userName: z.string().nullable(),
  scopes: z.array(scope),
  allowedNetworks: z.array(z.string()),
  status: z.enum(["active", "expired", "revoked"]),
  expiresAt: z.date().nullable(),
  lastUsedAt: z.date().nullable(),
  lastUsedAddress: z.string().nullable(),
  revokedAt: z.date().nullable(),
  createdAt: z.date(),
};
export const tokenSchema: Schema<TokenDto> = z.strictObject(tokenShape);
export const createdTokenSchema: Schema<CreatedTokenDto> = z.strictObject({ ...tokenShape, token: z.string() });
export const tokenPageSchema: Schema<TokenPageDto> = pageSchema(tokenSchema);
