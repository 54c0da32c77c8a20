import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { startDevcluster } from "./devcluster.ts";

/** `node src/main.ts [--port N] [--ingress-port N] [--pace N] [--state FILE] [--kubeconfig FILE]` */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "ingress-port": { type: "string", default: "0" },
    pace: { type: "string", default: "1" },
    state: { type: "string" },
    kubeconfig: { type: "string" },
  },
});

const cluster = await startDevcluster({
  port: Number(values.port),
  ingressPort: Number(values["ingress-port"]),
  pace: Number(values.pace),
  ...(values.state === undefined ? {} : { stateFile: values.state }),
  log: (line, fields) => process.stderr.write(`${JSON.stringify({ line, ...fields })}\n`),
});
const folder = join(tmpdir(), `devcluster-${process.pid}`);
if (values.kubeconfig === undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
const file = values.kubeconfig ?? join(folder, "kubeconfig.yaml");
writeFileSync(file, cluster.kubeconfig, { mode: 0o600 });
process.stdout.write(`kubeconfig ${file}\napi ${cluster.url}\ningress ${cluster.ingressUrl}\n`);

// With servers and timers closed nothing holds the process, so it ends by itself.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    rmSync(folder, { recursive: true, force: true });
    void cluster.stop();
  });
}
