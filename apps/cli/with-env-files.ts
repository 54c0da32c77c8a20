import { existsSync } from "node:fs";

// What is set already stays. `.env` is the operator's own; `.sewa/env` is written by `npm run dev` while it runs.
for (const file of [".env", ".sewa/env"]) if (existsSync(file)) process.loadEnvFile(file);

await import("./main.ts");
