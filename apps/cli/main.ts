import { enableCompileCache } from "node:module";

// A command is mostly its start, so what was compiled for the last one is kept, in the folder for temporary files.
enableCompileCache();
const { execute } = await import("./execute.ts");
await execute(process.argv.slice(2));
