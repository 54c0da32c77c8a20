import { unreachable } from "./errors.ts";

/** Who acts. Stands in every event and audit row. */
export type Actor =
  | { readonly type: "anonymous" }
  | { readonly type: "user"; readonly userId: string; readonly role: "owner" }
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

export function userActor(userId: string): Actor {
  return { type: "user", userId, role: "owner" };
}
