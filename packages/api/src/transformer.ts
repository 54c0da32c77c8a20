import type { TRPCDataTransformer } from "@trpc/server";
import superjson from "superjson";

/** Deeper than anything the contract knows. What is deeper is refused before anything recursive walks through it. */
const maxDepth = 40;

/** Dates and bigints arrive as such. Clients hand it to their links: `httpBatchLink({ url, transformer })`. */
export const transformer: TRPCDataTransformer = {
  serialize: (value) => superjson.serialize(value),
  deserialize: (value) => {
    refuseHostile(value);
    return superjson.deserialize(value);
  },
};

/** Walks level by level, so that the depth of hostile input never becomes the depth of our stack. */
function refuseHostile(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw new Error("The value is nested too deeply.");
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      if (Object.hasOwn(value, "__proto__")) throw new Error("No such key.");
      for (const item of Object.values(value)) next.push(item);
    }
    level = next;
  }
}
