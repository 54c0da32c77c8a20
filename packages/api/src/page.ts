import type { Page } from "@sewa/core";

/** Converts what stands on a page and keeps the cursor. */
export function toPageDto<T, Dto>(
  { items, nextCursor }: Page<T>,
  toDto: (item: T) => Dto,
): {
  readonly items: readonly Dto[];
  readonly nextCursor: string | null;
} {
  return { items: items.map((item) => toDto(item)), nextCursor };
}
