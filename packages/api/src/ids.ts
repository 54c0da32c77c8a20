import { DomainError, fromPublicId, type IdKind } from "@sewa/core";

/** What core calls them, where it is not the kind's own name. */
const nouns: Readonly<Partial<Record<IdKind, string>>> = { intent: "payment", method: "payment method" };

/** The uuid in a public id. Whatever is no id of this kind is as unknown as an id that nobody has, in the same words. */
export function uuidOf(kind: IdKind, id: string): string {
  const uuid = fromPublicId(kind, id);
  if (uuid === null) throw new DomainError("NOT_FOUND", `No such ${nouns[kind] ?? kind}.`);
  return uuid;
}
