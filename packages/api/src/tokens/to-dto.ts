import { type TokenView, toPublicId } from "@sewa/core";
import type { TokenDto } from "../organizations/dto.ts";

export function toTokenDto({ id, userId, ...token }: TokenView): TokenDto {
  return { id: toPublicId("token", id), userId: toPublicId("user", userId), ...token };
}
