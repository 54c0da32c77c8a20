import { unreachable } from "./errors.ts";
import type { MemberRole } from "./roles.ts";

/** Who acts. Stands in every event and audit row. */
export type Actor =
  | { readonly type: "anonymous" }
  /** `role`: in the organization that the context is bound to. */
  | { readonly type: "user"; readonly userId: string; readonly role: MemberRole }
  | { readonly type: "operator"; readonly userId: string }
  | { readonly type: "system"; readonly name: "worker" | "server" | "cli" };

export function formatActor(actor: Actor): string {
  switch (actor.type) {
    case "anonymous":
      return "anonymous";
    case "user":
    case "operator":
      return `${actor.type}:${actor.userId}`;
    case "system":
      return `system:${actor.name}`;
    default:
      return unreachable(actor);
  }
}

export function userActor(userId: string, role: MemberRole): Actor {
  return { type: "user", userId, role };
}
