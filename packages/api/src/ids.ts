import { DomainError, fromPublicId, type IdKind } from "@sewa/core";

/** The uuid in a public id. Whatever is no id of this kind is as unknown as an id that nobody has, in the same words. */
export function uuidOf(kind: IdKind, id: string): string {
  const uuid = fromPublicId(kind, id);
  if (uuid === null) throw new DomainError("NOT_FOUND", `No such ${kind}.`);
  return uuid;
}
