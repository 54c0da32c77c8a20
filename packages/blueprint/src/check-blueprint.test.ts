import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseCatalog } from "./catalog.ts";
import { checkBlueprint } from "./check-blueprint.ts";
import { formatIssue } from "./issue.ts";
import { parseBlueprint } from "./parse-blueprint.ts";
import { smallDefinition, squidexText, uptimeKumaText } from "./testing/definitions.ts";

function check(text: string, mode: "check" | "publish" = "check"): string[] {
  return checkBlueprint(parseBlueprint(text), mode).map(
    ({ code, severity, path, line, column }) => `${severity} ${code} ${path} ${line}:${column}`,
  );
}

describe("a definition of another platform", () => {
  const found = [
    "UNPRICED_VALUE parameters[1].allowedValues[1].value 16:12",
    "UNPRICED_VALUE parameters[1].allowedValues[2].value 18:12",
    "NO_DRIVER resources[0].type 25:9",
    "NO_DRIVER resources[1].type 37:9",
    "UNDECLARED_PARAMETER usage.totalCores 49:18",
    "UNDECLARED_PARAMETER usage.totalCores 49:44",
    "UNDECLARED_PARAMETER usage.totalCores 49:78",
    "UNDECLARED_PARAMETER usage.totalCores 50:12",
  ];
  test("is warned about, each thing at its place and nothing else", () => {
    expect(check(squidexText)).toEqual(found.map((issue) => `warning ${issue}`));
  });
  test("cannot be published for the same reasons", () => {
    expect(check(squidexText, "publish")).toEqual(found.map((issue) => `error ${issue}`));
  });
  test("is told the names that nobody declared", () => {
    const messages = checkBlueprint(parseBlueprint(squidexText), "check").map((issue) =>
      formatIssue(issue, "squidex.yaml"),
    );
    for (const name of [
      "mongoDbNodes",
      "mongoDbCoresPerNode",
      "squidexNodes",
      "squidexCoresPerNode",
      "cores_8",
      "cores_16",
    ])
      expect(messages.filter((message) => message.includes(` ${name} `) || message.includes(` ${name},`))).toHaveLength(
        1,
      );
    expect(messages[7]).toBe(
      "squidex.yaml:50:12: warning UNDECLARED_PARAMETER: usage.totalCores: The parameter squidexCoresPerNode is not declared.",
    );
  });
});

test.each([
  ["the smallest app", smallDefinition()],
  ["Uptime Kuma", uptimeKumaText],
])("%s can be published", (_name, text) => {
  expect(check(text, "publish")).toEqual([]);
});

describe("what is unfinished is a warning when checked and an error when published", () => {
  const small = smallDefinition();
  test.each([
    ["no resources", "name: Nothing", "NOTHING_TO_RUN resources 1:1"],
    ["B59 no tag", small.replace("app:1.2.3", "app"), "IMAGE resources[0].image 6:10"],
    [
      "a registry's port is no tag",
      small.replace("registry.example/app:1.2.3", "registry.example:5000/app"),
      "IMAGE resources[0].image 6:10",
    ],
    ["B59 latest", small.replace("1.2.3", "latest"), "IMAGE resources[0].image 6:10"],
    ["a moving major version", small.replace("1.2.3", "2-slim"), "IMAGE resources[0].image 6:10"],
    ["a claim with a moving image", `${small}claim: { image: a/b:main }`, "IMAGE claim.image 9:17"],
    ["nothing exposed", small.replace(/exposed:.*\n/, ""), "NOT_EXPOSED exposed 1:1"],
    ["no licence", small.replace(/license:.*\n/, ""), "LICENSE license 1:1"],
    [
      "an undeclared setting",
      smallDefinition("env: { KEY: 'x ${env.key}' }"),
      "UNDECLARED_SETTING resources[0].env.KEY 9:20",
    ],
    [
      "a boolean with one price",
      `${small}parameters: [{ name: big, type: boolean }]\nprices: [{ target: "\${parameters.big}", test: true, amount: 5 }]`,
      "UNPRICED_VALUE parameters[0] 9:14",
    ],
    [
      "a value without mapping",
      smallDefinition(
        "mappings: { size: { value: '${parameters.p}', map: { a: 1 } } }",
        "parameters: [{ name: p, type: string, allowedValues: [{ value: a }, { value: b }] }]",
      ),
      "UNMAPPED_VALUE resources[0].mappings.size 9:21",
    ],
  ])("%s", (_name, text, issue) => {
    expect(check(text)).toEqual([`warning ${issue}`]);
    expect(check(text, "publish")).toEqual([`error ${issue}`]);
  });
});

describe("what can never work is an error in both modes", () => {
  const small = smallDefinition();
  test.each([
    [
      "a type error",
      smallDefinition("env: { A: '${parameters.n + \"x\"}' }", "parameters: [{ name: n, type: integer }]"),
      "EXPRESSION resources[0].env.A 9:16",
    ],
    ["an unknown name", smallDefinition("args: ['${secrets.a}']"), "EXPRESSION resources[0].args[0] 9:13"],
    [
      "an instance in a price",
      `${small}prices: [{ target: "\${instance.id}", amount: 1 }]`,
      "EXPRESSION prices[0].target 9:23",
    ],
    [
      "B58 a mapping of a mapping",
      smallDefinition("mappings: { a: { value: '${mappings.a}', map: {} } }"),
      "EXPRESSION resources[0].mappings.a.value 9:30",
    ],
    [
      "an unknown secret",
      smallDefinition("env: { A: { secret: nobody } }"),
      "UNKNOWN_NAME resources[0].env.A.secret 9:23",
    ],
    [
      "a probe of an unknown port",
      smallDefinition("probes: { liveness: { type: tcp, port: admin } }"),
      "UNKNOWN_NAME resources[0].probes.liveness.port 9:42",
    ],
    [
      "an unknown exposed workload",
      small.replace("workload: app", "workload: web"),
      "UNKNOWN_NAME exposed.workload 2:22",
    ],
    ["an unknown exposed port", small.replace("port: http }", "port: admin }"), "UNKNOWN_NAME exposed.port 2:33"],
    [
      "B62 two ports of one number",
      small.replace("port: 8080 }", "port: 8080 }, { name: b, port: 8080 }"),
      "DUPLICATE_NAME resources[0].ports[1].port 7:56",
    ],
    [
      "two parameters of one name",
      `${small}parameters: [{ name: a, type: string }, { name: a, type: string }]`,
      "DUPLICATE_NAME parameters[1].name 9:49",
    ],
    [
      "two volumes over one path",
      smallDefinition("volumes: [{ name: a, mountPath: /a, share: 0.5 }, { name: b, mountPath: /a, share: 0.5 }]"),
      "DUPLICATE_NAME resources[0].volumes[1].mountPath 9:75",
    ],
    [
      "more volumes than storage",
      smallDefinition("volumes: [{ name: a, mountPath: /a }, { name: b, mountPath: /b, share: 0.5 }]"),
      "SHARE resources[0].volumes 9:12",
    ],
    [
      "a default outside the choice",
      `${small}parameters: [{ name: a, type: string, allowedValues: [{ value: x }], default: y }]`,
      "INVALID_VALUE parameters[0].default 9:79",
    ],
    [
      "a choice of another type",
      `${small}parameters: [{ name: a, type: integer, allowedValues: [{ value: x }] }]`,
      "INVALID_VALUE parameters[0].allowedValues[0].value 9:65",
    ],
  ])("%s", (_name, text, issue) => {
    expect(check(text)).toContain(`error ${issue}`);
    expect(check(text, "publish")).toContain(`error ${issue}`);
  });
});

test("a licence with conditions is pointed out, for the operator to decide", () => {
  const text = smallDefinition().replace("allowed", "conditional");
  expect(check(text, "publish")).toEqual(["warning LICENSE license 1:10"]);
});

describe("an app whose licence forbids paid hosting is not sold without the vendor's consent", () => {
  const text = smallDefinition().replace("allowed", "needs-agreement");
  test("it is a warning while it is written and an error when published, at its place", () => {
    expect(check(text)).toEqual(["warning AGREEMENT_REQUIRED license.commercialHosting 1:42"]);
    expect(check(text, "publish")).toEqual(["error AGREEMENT_REQUIRED license.commercialHosting 1:42"]);
  });
  test("it can be published with a reference to the agreement", () => {
    expect(checkBlueprint(parseBlueprint(text), "publish", { agreement: "contract 2026-117" })).toEqual([]);
  });
});

describe("what a customer types never becomes part of a script", () => {
  const found = (insert: string, append = ""): string[] =>
    check(smallDefinition(insert, `parameters: [{ name: title, type: string }]\n${append}`));
  test.each([
    ["sh -c", 'command: [sh, -c, "echo ${parameters.title}"]', "", "resources[0].command[2] 9:29"],
    [
      "bash -lec over both lists",
      'command: [bash, -lec]\nargs: ["x ${instance.name}"]',
      "",
      "resources[0].args[0] 10:15",
    ],
    [
      "node -e in a claim",
      "",
      "claim: { command: [node, -e, \"f('${parameters.title}')\"] }",
      "claim.command[2] 10:36",
    ],
  ])("%s", (_name, insert, append, place) => {
    expect(found(insert, append)).toEqual([`error INJECTION ${place}`]);
  });
  test("as an argument or a variable it is only data", () => {
    expect(found('command: [run, "--title=${parameters.title}"]\nenv: { TITLE: "${parameters.title}" }')).toEqual([]);
    expect(found('command: [sh, -c, "echo ${resources.app.host}"]')).toEqual([]);
  });
});

test("an image pinned by digest may have any tag", () => {
  const pinned = smallDefinition().replace("1.2.3", `latest@sha256:${"0".repeat(64)}`);
  expect(check(pinned, "publish")).toEqual([]);
});

test("every example of the guide is read, and the whole ones can be published", () => {
  const guide = readFileSync(new URL("../catalog/README.md", import.meta.url), "utf8");
  const examples = [...guide.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  expect(examples).toHaveLength(4);
  const [whole = "", prices = "", planPrices = "", addons = ""] = examples;
  expect(check(whole, "publish")).toEqual([]);
  const parameters =
    "parameters: [{ name: nodes, type: integer }, { name: plan, type: string, allowedValues: [{ value: small }, { value: large }] }]\n";
  expect(check(smallDefinition("", parameters + prices), "publish")).toEqual([]);
  const shipped = readFileSync(new URL("../catalog/catalog.yaml", import.meta.url), "utf8");
  const price = (planPrices + addons).trimEnd().replaceAll("\n", "\n        ");
  const { offerings } = parseCatalog(shipped.replace('prices: [{ currency: IDR, amount: "50000" }]', () => price));
  expect(offerings[0]?.plans[1]?.prices[0]).toMatchObject({
    cost: "40000",
    markup: "35",
    usage: [{ meter: "cpu" }, {}, {}],
  });
  expect(offerings[0]?.plans[1]?.addons).toMatchObject([{ slug: "extra-storage", adds: { storageBytes: 2 ** 35 } }]);
});

test("the README explains every code", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const declared = readFileSync(new URL("issue.ts", import.meta.url), "utf8");
  const union = /BlueprintIssueCode =([^;]*);/.exec(declared)?.[1] ?? "";
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(20);
  expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});
