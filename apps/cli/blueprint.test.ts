import { expect, test, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { describeFailure } from "./failure.ts";
import { createProgram } from "./program.ts";
import { repository, sewa, storyMs } from "./test-command.ts";

vi.setConfig({ testTimeout: storyMs });

const uptimeKuma = "packages/blueprint/catalog/uptime-kuma.yaml";
/** The definition of another platform: it can be read, priced and not yet sold. */
const foreign = "packages/blueprint/src/testing/squidex-vm.yaml";

test("a blueprint of the catalog may be published", async () => {
  const outcome = await sewa(["blueprint", "check", uptimeKuma, "--publish"]);
  expect(outcome).toEqual({ code: 0, stdout: `${uptimeKuma} is fine.\n`, stderr: "" });
});

test("what is unfinished is a warning when checked, with file, line and column, and an error when published", async () => {
  const checked = await sewa(["blueprint", "check", foreign]);
  expect(checked.code).toBe(0);
  expect(checked.stdout.match(/UNDECLARED_PARAMETER/g)).toHaveLength(4);
  expect(checked.stdout.match(/UNPRICED_VALUE/g)).toHaveLength(2);
  expect(checked.stdout).toContain(`${foreign}:16:12: warning UNPRICED_VALUE: `);
  const published = await sewa(["blueprint", "check", foreign, "--publish", "--json"]);
  expect(published.code).toBe(1);
  const { ok, issues } = JSON.parse(published.stdout) as { ok: boolean; issues: { severity: string }[] };
  expect(ok).toBe(false);
  expect(new Set(issues.map(({ severity }) => severity))).toEqual(new Set(["error"]));
});

test("a price is summed up, and a value without a price is refused, never free", async () => {
  const priced = await sewa(["blueprint", "price", foreign, "--param", "plan=cores_4", "--json"]);
  expect(JSON.parse(priced.stdout)).toMatchObject({ total: "80", lines: [{ value: "cores_4", amount: "80" }] });
  const refused = await sewa(["blueprint", "price", foreign, "--param", "plan=cores_8"]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/squidex-vm\.yaml:\d+:\d+: error NO_PRICE/);
});

test("a wrong parameter is refused by its name", async () => {
  const refused = await sewa(["blueprint", "price", foreign, "--param", "cores=4"]);
  expect(refused).toEqual({ code: 1, stdout: "", stderr: "parameters.cores: There is no such parameter.\n" });
});

test("the objects of an app are printed as YAML, the same each time, without any secret", async () => {
  const first = await sewa(["blueprint", "render", uptimeKuma, "--plan", "memoryLimit=2Gi,storage=8Gi"]);
  const second = await sewa(["blueprint", "render", uptimeKuma, "--plan", "memoryLimit=2Gi,storage=8Gi"]);
  expect(first.code).toBe(0);
  expect(first.stdout).toBe(second.stdout);
  const objects = parseAllDocuments(first.stdout).map(
    (document) => document.toJS() as { kind: string; spec?: unknown },
  );
  expect(objects[0]?.kind).toBe("Namespace");
  expect(objects.map(({ kind }) => kind)).toContain("Ingress");
  expect(objects.find(({ kind }) => kind === "PersistentVolumeClaim")?.spec).toMatchObject({
    resources: { requests: { storage: "8Gi" } },
  });
  const unclaimed = await sewa(["blueprint", "render", uptimeKuma, "--unclaimed", "--json"]);
  const kinds = (JSON.parse(unclaimed.stdout) as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds).toContain("Job");
  expect(kinds).not.toContain("Ingress");
});

test("the schema of blueprints is JSON Schema", async () => {
  const { code, stdout } = await sewa(["blueprint", "schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ type: "object", properties: { resources: expect.anything() as unknown } });
});

test("a text that is no blueprint ends with 1 and says where it stops being one", async () => {
  const outcome = await sewa(["blueprint", "check", "README.md"]);
  expect(outcome).toMatchObject({ code: 1, stdout: expect.stringMatching(/^README\.md:\d+:\d+: error /) as string });
});

test.each([
  [["blueprint", "check", "nowhere.yaml"], 1, /nowhere\.yaml cannot be read \(ENOENT\)/],
  [["blueprint", "price", uptimeKuma, "--param", "plan"], 2, /not of the form name=value/],
  [["blueprint", "render", repository + uptimeKuma, "--plan", "disk=1Gi"], 2, /A plan has no disk/],
  [["blueprint", "render", repository + uptimeKuma, "--plan", "storage=lots"], 2, /storage=lots is no quantity/],
  [["blueprint", "chekc", uptimeKuma], 2, /^$/],
  [["blueprint", "check"], 2, /^$/],
])("sewa %s ends with %i and one readable line", async (args, exitCode, words) => {
  const program = createProgram();
  // Of what commander says itself there is nothing to see here.
  for (const command of [program, ...program.commands.flatMap((group) => [group, ...group.commands])]) {
    command.configureOutput({ writeErr: () => undefined });
  }
  const error: unknown = await program.parseAsync(args, { from: "user" }).catch((thrown: unknown) => thrown);
  const failure = describeFailure(error);
  expect(failure).toEqual({ exitCode, message: expect.stringMatching(words) as string });
});
