import { parseArgs } from "node:util";
import { startDevgateway } from "./devgateway.ts";

/** `node src/main.ts [--port N] [--webhook-url URL] [--pace N] [--state FILE]` */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "webhook-url": { type: "string" },
    pace: { type: "string", default: "1" },
    state: { type: "string" },
  },
});

const gateway = await startDevgateway({
  port: Number(values.port),
  pace: Number(values.pace),
  ...(values["webhook-url"] === undefined ? {} : { webhookUrl: values["webhook-url"] }),
  ...(values.state === undefined ? {} : { stateFile: values.state }),
  log: (line, fields) => process.stderr.write(`${JSON.stringify({ line, ...fields })}\n`),
});
process.stdout.write(
  `gateway ${gateway.url}\nsecret key ${gateway.secretKey}\nwebhook secret ${gateway.webhookSecrets.join(" ")}\n`,
);

// With server and timers closed nothing holds the process, so it ends by itself.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void gateway.stop());
