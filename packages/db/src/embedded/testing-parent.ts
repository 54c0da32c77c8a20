// A process that starts a server and does nothing more, for the test that kills it. Prints url and data directory as JSON.
// The first argument is a data directory to keep.
import { startEmbeddedPostgres } from "./start.ts";

const dataDir = process.argv[2];
const server = await startEmbeddedPostgres(dataDir === undefined ? {} : { dataDir });
process.stdout.write(`${JSON.stringify({ url: server.url, dataDir: server.dataDir })}\n`);
setInterval(() => undefined, 60_000);
