import { createHash } from "node:crypto";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parseImageName } from "./registry.ts";
import { storyMs, sewa } from "./test-command.ts";

vi.setConfig({ testTimeout: storyMs });

const manifest = '{"schemaVersion":2}';
const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
const ownNetwork = { OUTGOING_ALLOWED_RANGES: "127.0.0.0/8" };
const asked: string[] = [];
let host: string;

/** A registry that wants a token for what is public, as the large ones do. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://registry.test");
  asked.push(pathname);
  if (pathname === "/token") {
    const scope = searchParams.get("scope");
    return void response.end(JSON.stringify({ token: `for ${scope}` }));
  }
  const scope = "repository:shop/app:pull";
  if (request.headers.authorization !== `Bearer for ${scope}`) {
    const challenge = `Bearer realm="http://${host}/token",service="registry.test",scope="${scope}"`;
    return void response.writeHead(401, { "www-authenticate": challenge }).end("{}");
  }
  if (pathname !== "/v2/shop/app/manifests/1.2.3") return void response.writeHead(404).end("{}");
  response.end(manifest);
}

const server = createServer(answer);
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const blueprint = (images: readonly string[]): string =>
  [
    "# What we sell.",
    "name: Shop",
    'version: "1"',
    "resources:",
    ...images.map(
      (image, index) =>
        `  - { id: app${index}, name: App, type: kubernetes-workload, kind: Deployment, security: { runAsUser: 1000 }, image: ${image} }`,
    ),
    "",
  ].join("\n");

test("the digest of an image is written where its registry answers, once, and comments stay", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sewa-pin-"));
  const file = join(folder.path, "shop.yaml");
  const text = blueprint([`${host}/shop/app:1.2.3`]);
  await writeFile(file, text);

  const dry = await sewa(["catalog", "pin", file, "--dry-run", "--json"], ownNetwork);
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  expect(await readFile(file, "utf8")).toBe(text);

  expect(await sewa(["catalog", "pin", file], ownNetwork)).toMatchObject({ code: 0, stderr: "" });
  expect(await readFile(file, "utf8")).toBe(blueprint([`${host}/shop/app:1.2.3@${digest}`]));

  asked.length = 0;
  const again = await sewa(["catalog", "pin", file], ownNetwork);
  expect(again).toEqual({ code: 0, stdout: "Every image has a digest already.\n", stderr: "" });
  expect(asked).toEqual([]);
});

test("an image that its registry does not have is named, and the others are pinned all the same", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sewa-pin-"));
  const file = join(folder.path, "shop.yaml");
  await writeFile(file, blueprint([`${host}/shop/app:9.9.9`, `${host}/shop/app:1.2.3`, "127.0.0.1:9/shop/app:1.0.0"]));
  const outcome = await sewa(["catalog", "pin", file], ownNetwork);
  expect(outcome.code).toBe(1);
  expect(outcome.stdout).toContain("answers 404");
  expect(outcome.stdout).toContain("127.0.0.1:9 does not answer");
  expect(await readFile(file, "utf8")).toBe(
    blueprint([`${host}/shop/app:9.9.9`, `${host}/shop/app:1.2.3@${digest}`, "127.0.0.1:9/shop/app:1.0.0"]),
  );
});

test("a registry in a network that nobody has allowed is not asked, whatever a blueprint names", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sewa-pin-"));
  const file = join(folder.path, "shop.yaml");
  const text = blueprint([`${host}/shop/app:1.2.3`]);
  await writeFile(file, text);
  asked.length = 0;
  const outcome = await sewa(["catalog", "pin", file]);
  expect(outcome.code).toBe(1);
  expect(outcome.stdout).toContain("is not asked: It is not on the public internet. (OUTGOING_ALLOWED_RANGES)");
  expect([asked, await readFile(file, "utf8")]).toEqual([[], text]);
  const wrong = await sewa(["catalog", "pin", file], { OUTGOING_ALLOWED_RANGES: "everything" });
  expect(wrong.stderr).toContain("OUTGOING_ALLOWED_RANGES: Not ranges such as 10.0.0.0/8");
});

test("names are read as container runtimes read them", () => {
  expect(parseImageName("ghost:6.1.0-alpine")).toEqual({
    registry: "docker.io",
    repository: "library/ghost",
    tag: "6.1.0-alpine",
  });
  expect(parseImageName("n8nio/n8n:1.2.3")).toEqual({ registry: "docker.io", repository: "n8nio/n8n", tag: "1.2.3" });
  expect(parseImageName("ghcr.io/a/b/c:v1.0.0")).toEqual({ registry: "ghcr.io", repository: "a/b/c", tag: "v1.0.0" });
  expect(parseImageName("localhost:5000/app")).toEqual({
    registry: "localhost:5000",
    repository: "app",
    tag: "latest",
  });
});
