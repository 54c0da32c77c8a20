import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BlueprintError } from "./issue.ts";
import { parseBlueprint, printBlueprint, toJsonSchema } from "./parse-blueprint.ts";
import { smallDefinition, squidexText, uptimeKumaText } from "./testing/definitions.ts";

function issuesOf(
  text: string,
): readonly { code: string; path: string; line: number; column: number; message: string }[] {
  try {
    parseBlueprint(text);
  } catch (error) {
    if (error instanceof BlueprintError) return error.issues;
    throw error;
  }
  return [];
}

describe("a published definition of another platform parses unchanged", () => {
  const { definition } = parseBlueprint(squidexText);
  test("its parameters, resources, prices and usage are all kept", () => {
    expect(
      definition.parameters.map(({ name, type, required, display }) => ({ name, type, required, display })),
    ).toEqual([
      { name: "domain", type: "string", required: true, display: true },
      { name: "plan", type: "string", required: true, display: true },
    ]);
    expect(definition.resources.map(({ id, type }) => [id, type])).toEqual([
      ["vm", "vultr-vm"],
      ["squidex", "docker-compose-ssh"],
    ]);
    expect(definition.resources[0]?.mappings["plan"]?.map).toEqual({
      cores_4: "vc2-4c-8gb",
      cores_8: "vc2-8c-32gb",
      cores_16: "vc2-16c-64gb",
    });
    expect(definition.prices).toEqual([{ target: "${parameters.plan}", test: "cores_4", amount: "80" }]);
    expect(definition.pricingModel).toBe("fixed");
    expect(definition.usage["totalCores"]).toMatch(/^\$\{parameters\.mongoDbNodes \* .* \+ 1\) \* .*\}$/);
    expect(definition.afterInstallationInstructions).toBe("Create a new A record from your domain ");
  });
});

test.each([squidexText, uptimeKumaText, smallDefinition()])("reading what was printed changes nothing", (text) => {
  const { definition } = parseBlueprint(text);
  expect(parseBlueprint(printBlueprint(definition)).definition).toEqual(definition);
  expect(parseBlueprint(JSON.stringify(definition)).definition).toEqual(definition);
});

describe("what has the wrong shape is refused with path, line and column", () => {
  const workload = (insert: string): string => smallDefinition(insert);
  test.each([
    ["an unknown field", "colour: red\n", "UNKNOWN_FIELD", "colour", 1],
    ["an unknown field deep down", workload("colour: red"), "UNKNOWN_FIELD", "resources[0].colour", 9],
    ["a list as the whole", "- a", "INVALID_VALUE", "", 1],
    ["a resource without a type", "resources:\n- id: a", "INVALID_VALUE", "resources[0].type", 2],
    ["a resource that is a word", "resources: [a]", "INVALID_VALUE", "resources[0]", 1],
    ["B61 privileged", workload("privileged: true"), "POD_SECURITY", "resources[0].privileged", 9],
    ["B61 hostNetwork", workload("hostNetwork: true"), "POD_SECURITY", "resources[0].hostNetwork", 9],
    [
      "B61 a volume of the host",
      workload("volumes: [{ name: a, mountPath: /a, hostPath: /etc }]"),
      "POD_SECURITY",
      "resources[0].volumes[0].hostPath",
      9,
    ],
    [
      "B61 root",
      smallDefinition().replace("runAsUser: 1000", "runAsUser: 0"),
      "POD_SECURITY",
      "resources[0].security.runAsUser",
      8,
    ],
    [
      "B61 added capabilities",
      smallDefinition().replace("runAsUser: 1000", "runAsUser: 1, capabilities: [NET_ADMIN]"),
      "POD_SECURITY",
      "resources[0].security.capabilities",
      8,
    ],
    [
      "the service account's token",
      workload("scratchPaths: [/var/run/secrets/kubernetes.io]"),
      "POD_SECURITY",
      "resources[0].scratchPaths[0]",
      9,
    ],
    ["a path that climbs", workload("scratchPaths: [/a/../etc]"), "INVALID_VALUE", "resources[0].scratchPaths[0]", 9],
    [
      "B59 an image that climbs",
      smallDefinition().replace("registry.example/app:1.2.3", "../x"),
      "IMAGE",
      "resources[0].image",
      6,
    ],
    [
      "an image from an expression",
      smallDefinition().replace("app:1.2.3", "app:${parameters.x}"),
      "IMAGE",
      "resources[0].image",
      6,
    ],
    ["B62 port 0", smallDefinition().replace("8080", "0"), "INVALID_VALUE", "resources[0].ports[0].port", 7],
    ["B62 port 65536", smallDefinition().replace("8080", "65536"), "INVALID_VALUE", "resources[0].ports[0].port", 7],
    ["B62 port 22.5", smallDefinition().replace("8080", "22.5"), "INVALID_VALUE", "resources[0].ports[0].port", 7],
    [
      "an id too long for a name",
      smallDefinition().replace("id: app", `id: ${"a".repeat(21)}`),
      "INVALID_VALUE",
      "resources[0].id",
      4,
    ],
    ["a share of nothing", workload("share: { cpu: 0 }"), "INVALID_VALUE", "resources[0].share.cpu", 9],
    [
      "a parameter called constructor",
      "parameters: [{ name: constructor, type: string }]",
      "INVALID_VALUE",
      "parameters[0].name",
      1,
    ],
    ["a parameter called in", "parameters: [{ name: in, type: string }]", "INVALID_VALUE", "parameters[0].name", 1],
    ["an unknown type", "parameters: [{ name: a, type: date }]", "INVALID_VALUE", "parameters[0].type", 1],
    [
      "both names of a default",
      "parameters: [{ name: a, type: string, default: x, defaultValue: y }]",
      "INVALID_VALUE",
      "parameters[0].defaultValue",
      1,
    ],
    ["a negative amount", "prices: [{ amount: -1 }]", "INVALID_VALUE", "prices[0].amount", 1],
    ["an amount with an exponent", "prices: [{ amount: '1e3' }]", "INVALID_VALUE", "prices[0].amount", 1],
    [
      "a short password",
      "secrets: [{ name: a, label: A, generate: { type: random, length: 4 } }]",
      "INVALID_VALUE",
      "secrets[0].generate.length",
      1,
    ],
    ["a quantity of nothing", "minMemory: 0Mi", "INVALID_VALUE", "minMemory", 1],
    ["501 expressions", `prices:\n${"- { target: '${1}${2}', amount: 1 }\n".repeat(251)}`, "TOO_COMPLEX", "", 1],
  ])("%s", (_name, text, code, path, line) => {
    expect(issuesOf(text)).toContainEqual(expect.objectContaining({ code, path, line, severity: "error" }));
  });

  test("every slip is told, not only the first", () => {
    expect(issuesOf("colour: red\nminMemory: x\nresources:\n- { id: a }\n- b").map(({ path }) => path)).toEqual([
      "minMemory",
      "colour",
      "resources[0].type",
      "resources[1]",
    ]);
  });
});

test.each([
  ["resources: [{ id: a }]", "This field is missing."],
  ["provisionDeadlineSeconds: soon", "Invalid input: expected number, received string"],
  ["minMemory: lots", "Write a quantity such as 512Mi or 1Gi."],
  ["colour: red", "There is no field colour here."],
])("the message says what to do: %s", (text, message) => {
  expect(issuesOf(text).map((issue) => issue.message)).toEqual([message]);
});

describe("the longer names of a parameter's fields mean the same", () => {
  const read = (fields: string): unknown =>
    parseBlueprint(`parameters: [{ name: a, type: integer, ${fields} }]`).definition.parameters[0];
  test("minValue, maxValue, defaultValue, show", () => {
    expect(read("minValue: 1, maxValue: 9, defaultValue: 3, show: false")).toEqual(
      read("min: 1, max: 9, default: 3, display: false"),
    );
  });
});

test("any mutation of a valid definition either parses or is refused with a place", () => {
  const junk = fc.constantFrom(
    "",
    "[",
    "}",
    "&a ",
    "*a",
    "!!x ",
    "null",
    "__proto__:",
    "${",
    "\t",
    "- ",
    ": ",
    "é",
    "0",
    '"',
    "\0",
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), junk, fc.nat(5)), { minLength: 1, maxLength: 3 }), (edits) => {
      let text = uptimeKumaText;
      for (const [at, insert, remove] of edits) {
        const offset = at % text.length;
        text = text.slice(0, offset) + insert + text.slice(offset + remove);
      }
      const lines = text.split("\n").length;
      for (const issue of issuesOf(text)) {
        expect(issue.line).toBeGreaterThanOrEqual(1);
        expect(issue.line).toBeLessThanOrEqual(lines + 1);
        expect(issue.column).toBeGreaterThanOrEqual(1);
        expect(issue.message).toMatch(/\S/);
      }
    }),
    { numRuns: 300 },
  );
});

test("the JSON schema names the fields of a workload", () => {
  const schema = JSON.stringify(toJsonSchema());
  for (const field of [
    "allowedValues",
    "kubernetes-workload",
    "readOnlyRootFilesystem",
    "commercialHosting",
    "defaultValue",
  ])
    expect(schema).toContain(field);
});
