import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlueprintError } from "./issue.ts";
import { parseBlueprint } from "./parse-blueprint.ts";
import { planFits } from "./plan-fits.ts";
import { resolveBlueprint } from "./resolve-blueprint.ts";
import type { ResolveInput } from "./resolve-blueprint.ts";
import type { ResolvedApp } from "./resolved-app.ts";
import { instance, planLimits, smallDefinition, squidexText, uptimeKumaText } from "./testing/definitions.ts";

function resolve(text: string, input: Partial<ResolveInput> = {}): ResolvedApp {
  return resolveBlueprint(parseBlueprint(text), { values: {}, limits: planLimits, instance, ...input });
}

function refusal(text: string, input: Partial<ResolveInput> = {}): string {
  try {
    resolve(text, input);
  } catch (error) {
    if (!(error instanceof BlueprintError)) throw error;
    const { code, path, line, message } = error.issues[0]!;
    return `${code} ${path} ${line} ${message}`;
  }
  return "accepted";
}

test("the smallest app gets every default", () => {
  expect(resolve(smallDefinition())).toEqual({
    workloads: [
      {
        id: "app",
        kind: "Deployment",
        image: "registry.example/app:1.2.3",
        env: [],
        ports: [{ name: "http", port: 8080 }],
        volumes: [],
        scratchPaths: [],
        files: [],
        probes: {},
        share: { cpu: 1, memory: 1 },
        security: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000, readOnlyRootFilesystem: true },
      },
    ],
    exposed: { workload: "app", port: "http" },
    claim: null,
    healthChecks: [],
    secrets: [],
    provisionDeadlineSeconds: 300,
    instructions: null,
  });
});

describe("expressions are filled in wherever they may stand", () => {
  const text = smallDefinition(
    `command: [run, "--name=\${instance.name}"]
args: ["$\${HOME}"]
env:
  URL: "\${instance.url}/x"
  ID: "\${instance.id}"
  HEAP: "\${plan.memoryMiB * 3 / 4}"
  CPU: "\${plan.cpuMillis} \${plan.storageBytes > plan.memoryBytes}"
  NODES: "\${parameters.nodes + 1}"
  SELF: "\${resources.app.host}:\${resources.app.ports.http}"
  REGION: "\${env.region}"
  SIZE: "\${mappings.size}"
  NUMBER: 5
  FLAG: true
  PASSWORD: { secret: password }
files:
- { path: /etc/a.conf, content: "host \${instance.host}", template: true }
- { path: /etc/run.sh, content: "echo \${HOME}" }
mappings: { size: { value: "\${parameters.plan}", map: { s: small, l: 9 } } }
probes:
  readiness: { type: http, path: "/\${parameters.plan}", port: http, headers: { Host: "\${instance.host}" }, initialDelaySeconds: 3 }
  liveness: { type: exec, command: [check, "\${instance.id}"] }
  startup: { type: tcp, port: http }
healthChecks: [{ name: Page, type: http, url: "\${instance.url}/health" }]`,
    `parameters:
- { name: nodes, type: number, default: 2 }
- { name: plan, type: string }
settings: [{ name: region, type: string, default: asia }]
secrets:
- { name: password, label: Password, generate: { type: random } }
- { name: login, label: Login, generate: { type: literal, value: "admin@\${instance.host}" }, reveal: owner }
claim: { command: [claim, "\${resources.app.host}"], env: { PASSWORD: { secret: password } } }
afterInstallationInstructions: "Open \${instance.url}."
`,
  );
  const app = resolve(text, { values: { plan: "l" }, settings: { region: "eu" } });
  const [workload] = app.workloads;

  test("in a container", () => {
    expect(workload?.command).toEqual(["run", "--name=shop"]);
    expect(workload?.args).toEqual(["${HOME}"]);
    expect(workload?.env).toEqual([
      { name: "URL", value: "https://shop-a1b2c3.apps.test/x" },
      { name: "ID", value: "ins_1" },
      { name: "HEAP", value: "768" },
      { name: "CPU", value: "1000 true" },
      { name: "NODES", value: "3" },
      { name: "SELF", value: "app:8080" },
      { name: "REGION", value: "eu" },
      { name: "SIZE", value: "9" },
      { name: "NUMBER", value: "5" },
      { name: "FLAG", value: "true" },
      { name: "PASSWORD", secret: "password" },
    ]);
  });
  test("in a file only where it asks for it", () => {
    expect(workload?.files).toEqual([
      { path: "/etc/a.conf", content: "host shop-a1b2c3.apps.test" },
      { path: "/etc/run.sh", content: "echo ${HOME}" },
    ]);
  });
  test("in probes and health checks", () => {
    const timing = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 };
    expect(workload?.probes).toEqual({
      readiness: {
        type: "http",
        path: "/l",
        port: "http",
        headers: { Host: instance.host },
        initialDelaySeconds: 3,
        ...timing,
      },
      liveness: { type: "exec", command: ["check", "ins_1"], ...timing },
      startup: { type: "tcp", port: "http", ...timing },
    });
    expect(app.healthChecks).toEqual([{ name: "Page", type: "http", url: "https://shop-a1b2c3.apps.test/health" }]);
  });
  test("in secrets, claim and instructions", () => {
    expect(app.secrets).toEqual([
      {
        name: "password",
        label: "Password",
        generate: { type: "random", length: 24, charset: "alphanumeric" },
        reveal: "never",
      },
      {
        name: "login",
        label: "Login",
        generate: { type: "literal", value: "admin@shop-a1b2c3.apps.test" },
        reveal: "owner",
      },
    ]);
    expect(app.claim).toEqual({
      image: "registry.example/app:1.2.3",
      command: ["claim", "app"],
      env: [{ name: "PASSWORD", secret: "password" }],
      timeoutSeconds: 120,
      security: workload?.security,
    });
    expect(app.instructions).toBe("Open https://shop-a1b2c3.apps.test.");
  });
});

describe("what cannot be filled in is an error with its place", () => {
  const withParameter = (insert: string): string =>
    smallDefinition(insert, "parameters: [{ name: p, type: string }, { name: n, type: integer, max: 5 }]");
  test.each([
    [
      "a missing value",
      withParameter('env: { A: "${parameters.p}" }'),
      {},
      "EXPRESSION resources[0].env.A 9 No such key: p.",
    ],
    [
      "a division by zero",
      withParameter('env: { A: "${1 / parameters.n}" }'),
      { values: { n: 0 } },
      "EXPRESSION resources[0].env.A 9 Result is not a finite number.",
    ],
    [
      "a value out of bounds",
      withParameter(""),
      { values: { n: 6 } },
      "INVALID_VALUE parameters[1] 9 n: Write at most 5.",
    ],
    [
      "a value of another type",
      withParameter(""),
      { values: { n: "1" } },
      "INVALID_VALUE parameters[1] 9 n: Write a whole number.",
    ],
    [
      "an unknown value",
      withParameter(""),
      { values: { q: 1 } },
      "UNDECLARED_PARAMETER parameters 9 There is no parameter q.",
    ],
    [
      "an unknown setting",
      smallDefinition(),
      { settings: { q: 1 } },
      "UNDECLARED_SETTING settings 1 There is no setting q.",
    ],
    [
      "a missing setting",
      smallDefinition("", "settings: [{ name: region, type: string, required: true }]"),
      {},
      "INVALID_VALUE settings[0] 9 The setting region is required.",
    ],
    [
      "a value outside the mapping",
      withParameter("mappings: { m: { value: '${parameters.p}', map: { a: 1 } } }"),
      { values: { p: "toString" } },
      "UNMAPPED_VALUE resources[0].mappings.m.map 9 toString is not mapped.",
    ],
    [
      "a resource without a driver",
      `${smallDefinition()}- { id: vm, type: vultr-vm }`,
      {},
      "NO_DRIVER resources[1].type 9 There is no driver for vultr-vm; only kubernetes-workload can be provisioned.",
    ],
    [
      "nothing exposed",
      smallDefinition().replace(/exposed:.*\n/, ""),
      {},
      "NOT_EXPOSED exposed 1 No workload is exposed.",
    ],
    [
      "another platform's definition",
      squidexText,
      { values: { plan: "cores_4" } },
      "NO_DRIVER resources[0].type 25 There is no driver for vultr-vm; only kubernetes-workload can be provisioned.",
    ],
  ])("%s", (_name, text, input, expected) => {
    expect(refusal(text, input)).toBe(expected);
  });

  test.each([
    "http://169.254.169.254/latest",
    "http://${instance.host}/",
    "https://${instance.host}:8443/",
    "https://user:secret@${instance.host}/",
    "https://${instance.host}.evil.test/",
    "https://${parameters.domain}/healthz",
    "file:///etc/passwd",
    "/healthz",
  ])("a health check that leads away: %s", (url) => {
    const text = smallDefinition(
      `healthChecks: [{ name: x, type: http, url: "${url}" }]`,
      "parameters: [{ name: domain, type: string, default: a.test }]",
    );
    expect(refusal(text)).toMatch(/^URL_BLOCKED resources\[0\]\.healthChecks\[0\]\.url 9/);
  });
});

test("equal input gives equal output, and the input is not changed", () => {
  const blueprint = parseBlueprint(uptimeKumaText);
  const zone = fc.stringMatching(/^[A-Za-z/]{1,40}$/);
  fc.assert(
    fc.property(zone, fc.stringMatching(/^[a-z0-9]{1,20}$/), (timeZone, name) => {
      const input = (): ResolveInput => ({
        values: { timeZone },
        limits: planLimits,
        instance: { id: name, name, host: `${name}.test`, url: `https://${name}.test` },
      });
      const before = structuredClone(blueprint.definition);
      const first = resolveBlueprint(blueprint, input());
      expect(resolveBlueprint(parseBlueprint(uptimeKumaText), input())).toEqual(first);
      expect(first.workloads[0]?.env).toContainEqual({ name: "TZ", value: timeZone });
      expect(blueprint.definition).toEqual(before);
    }),
    { numRuns: 50 },
  );
});

test("B81 what a customer types stays one text, whatever it looks like", () => {
  const text = smallDefinition('env: { A: "a ${parameters.p} b" }', "parameters: [{ name: p, type: string }]");
  fc.assert(
    fc.property(fc.oneof(fc.constant("${instance.id}"), fc.constant('"}\n$${'), fc.string({ maxLength: 50 })), (p) => {
      if (p.includes("\0")) return;
      expect(resolve(text, { values: { p } }).workloads[0]?.env).toEqual([{ name: "A", value: `a ${p} b` }]);
    }),
  );
});

describe("a plan fits when it carries the app", () => {
  const kuma = parseBlueprint(uptimeKumaText);
  test.each([
    [{}, null],
    [{ memoryLimitBytes: 512 * 2 ** 20, memoryRequestBytes: 1 }, null],
    [{ memoryLimitBytes: 512 * 2 ** 20 - 1 }, "The app needs 512Mi of memory; the plan's limit is 511Mi."],
    [{ storageBytes: 0 }, "The app stores data; the plan has no storage."],
    [{ cpuRequestMillis: 2_000 }, "The plan requests more CPU than its limit."],
    [{ memoryRequestBytes: 2 ** 31 }, "The plan requests more memory than its limit."],
  ])("%j", (limits, reason) => {
    expect(planFits(kuma, { ...planLimits, ...limits })).toBe(reason);
  });
});
