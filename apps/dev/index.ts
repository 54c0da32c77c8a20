// For the system tests, which play the same story over the same parts. Nothing else may import this.
export { type Client, createClient } from "./client.ts";
export { type Inventory, takeInventory } from "./dangling.ts";
export { createNarrator, type Narrator } from "./narrator.ts";
export { type Parts, type PartsOptions, startParts, webhookUrl } from "./parts.ts";
export { applyShippedCatalog, withCore } from "./seed.ts";
export { playStory } from "./story.ts";
