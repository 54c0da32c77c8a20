import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  ClusterDenied,
  ClusterUnreachable,
  Conflict,
  Expired,
  InvalidObject,
  NamespaceTerminating,
  NotFound,
  QuotaRefused,
  TerminalError,
} from "../errors.ts";
import { answer, startHttpServer } from "../testing/http-server.ts";
import { openConnection, type Connection, type KubeRequest } from "./connection.ts";

const get: KubeRequest = { method: "GET", path: "/api/v1/namespaces/x", what: "get Namespace" };

async function refusal(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  more: Partial<KubeRequest> = {},
): Promise<Error> {
  await using server = await startHttpServer((_, response) => answer(response, status, body, headers));
  await using connection = openConnection(server);
  return await connection.json({ ...get, ...more }).then(
    () => expect.unreachable("The request succeeded."),
    (error: Error) => error,
  );
}

const status = (message: string, reason = "", causes: readonly { reason: string }[] = []): unknown => ({
  kind: "Status",
  status: "Failure",
  message,
  reason,
  details: { causes },
});

describe("an answer that is no success says what to do about it", () => {
  test.each([
    ["a bad token", 401, status("Unauthorized", "Unauthorized"), ClusterDenied],
    [
      "a missing right",
      403,
      status('namespaces is forbidden: User "system:anonymous" cannot list', "Forbidden"),
      ClusterDenied,
    ],
    [
      "a full quota",
      403,
      status("pods is forbidden: exceeded quota: plan, requested: pods=1", "Forbidden"),
      QuotaRefused,
    ],
    [
      "a quota that nobody has counted yet",
      403,
      status('secrets "s" is forbidden: status unknown for quota: plan, resources: count/secrets', "Forbidden"),
      Conflict,
    ],
    [
      "a container over the cap",
      403,
      status("forbidden: maximum cpu usage per Container is 500m", "Forbidden"),
      QuotaRefused,
    ],
    [
      "a namespace on its way out",
      403,
      status("forbidden", "Forbidden", [{ reason: "NamespaceTerminating" }]),
      NamespaceTerminating,
    ],
    ["a missing object", 404, status("not found", "NotFound"), NotFound],
    ["an unknown path", 404, "404 page not found", NotFound],
    ["a changed object", 409, status("conflict", "Conflict"), Conflict],
    ["a version that is too old", 410, status("too old", "Expired"), Expired],
    ["an invalid value", 422, status("is invalid", "Invalid"), InvalidObject],
    [
      "a field that the schema lacks",
      500,
      status("failed to create typed patch object (/x; v1): .dat: field not declared in schema"),
      InvalidObject,
    ],
    [
      "a quantity that is none",
      500,
      status("failed to convert new object (/x) to proper version: quantities must match"),
      InvalidObject,
    ],
    ["an inner fault", 500, status("etcdserver: leader changed"), ClusterUnreachable],
    ["a page of a proxy", 502, "<html>Bad Gateway</html>", ClusterUnreachable],
    ["a success that is no JSON", 200, "<html>Sign in</html>", ClusterUnreachable],
  ])("%s", async (_, code, body, kind) => {
    const error = await refusal(code, body);
    expect(error).toBeInstanceOf(kind);
    expect(error instanceof TerminalError).toBe(kind === InvalidObject);
  });

  test("K5 throttling names the time that the server asks for", async () => {
    const error = await refusal(429, "Too many requests", { "retry-after": "2" });
    expect(error).toMatchObject({ name: "ClusterUnreachable", retryAfterMs: 2000 });
  });

  test("what the server says about a Secret is not repeated, for it may quote the value", async () => {
    const body = status('Secret "secrets" is invalid: data[x]: Invalid value: "hunter2"', "Invalid");
    expect((await refusal(422, body, {}, { isSecret: true })).message).not.toContain("hunter2");
    expect((await refusal(422, body)).message).toContain("hunter2");
  });
});

describe("the wire", () => {
  test("carries the credentials, and JSON under the type of an apply", async () => {
    const seen: unknown[] = [];
    await using server = await startHttpServer((request, response) => {
      request.setEncoding("utf8");
      let body = "";
      request.on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        const { authorization, "content-type": type } = request.headers;
        seen.push({ method: request.method, url: request.url, authorization, type, body: JSON.parse(body) });
        answer(response, 200, {});
      });
    });
    await using connection = openConnection(server);
    await connection.json({
      method: "PATCH",
      path: "/api/v1/namespaces/x",
      query: { fieldManager: "sewa", force: "true" },
      body: { a: "\u00e9" },
      contentType: "application/apply-patch+yaml",
      what: "apply",
    });
    expect(seen).toEqual([
      {
        method: "PATCH",
        url: "/api/v1/namespaces/x?fieldManager=sewa&force=true",
        authorization: "Bearer token-of-the-test",
        type: "application/apply-patch+yaml",
        body: { a: "\u00e9" },
      },
    ]);
  });

  test("is kept open over many calls in a row", async () => {
    await using server = await startHttpServer((_, response) => answer(response, 200, {}));
    await using connection = openConnection(server);
    for (let call = 0; call < 20; call += 1) await connection.json(get);
    // A second one is opened when a call comes before the first has given its connection back.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test("carries at most 16 calls at a time, and all of them in the end", async () => {
    const open: (() => void)[] = [];
    let most = 0;
    await using server = await startHttpServer((_, response) => {
      open.push(() => answer(response, 200, {}));
      most = Math.max(most, open.length);
      // Let the others in before the first is answered; with the seventeenth nobody would be.
      if (open.length === 16) setImmediate(() => open.splice(0).forEach((send) => send()));
    });
    await using connection = openConnection(server);
    const calls = Array.from({ length: 48 }, () => connection.json(get));
    await Promise.all(calls);
    expect(most).toBe(16);
  });

  test("K3 gives up on a server that does not answer", async () => {
    await using server = await startHttpServer(() => undefined);
    await using connection = openConnection(server, { requestMs: 100 });
    await expect(connection.json(get)).rejects.toBeInstanceOf(ClusterUnreachable);
  });

  test("gives up on a server that begins to answer and stops", async () => {
    await using server = await startHttpServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"kind":');
    });
    await using connection = openConnection(server, { requestMs: 200 });
    await expect(connection.json(get)).rejects.toBeInstanceOf(ClusterUnreachable);
  });

  test("survives a reset, and a server that is not there", async () => {
    await using server = await startHttpServer((request) => request.socket.resetAndDestroy());
    await using connection = openConnection(server);
    await expect(connection.json(get)).rejects.toBeInstanceOf(ClusterUnreachable);
    await server[Symbol.asyncDispose]();
    await expect(connection.json(get)).rejects.toBeInstanceOf(ClusterUnreachable);
  });

  test("is left at once when the caller aborts, with the caller's reason", async () => {
    await using server = await startHttpServer(() => undefined);
    await using connection = openConnection(server);
    const stop = new AbortController();
    const call = connection.json({ ...get, signal: stop.signal });
    stop.abort(new Error("The lease was lost."));
    await expect(call).rejects.toThrow("The lease was lost.");
  });

  test("K31 takes up new credentials after a refusal, without a restart", async () => {
    await using server = await startHttpServer(({ headers }, response) =>
      answer(response, headers.authorization === "Bearer new-token" ? 200 : 401, { kind: "Status" }),
    );
    const folder = await mkdtemp(join(tmpdir(), "sewa-test-"));
    try {
      const kubeconfig = join(folder, "config");
      await writeFile(kubeconfig, server.kubeconfig);
      await using connection = openConnection({ kubeconfig });
      await expect(connection.json(get)).rejects.toBeInstanceOf(ClusterDenied);
      await writeFile(kubeconfig, server.kubeconfig.replace("token-of-the-test", "new-token"));
      await expect(connection.json(get)).resolves.toEqual({ kind: "Status" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("a kubeconfig that cannot be read is named, and not its content", async () => {
    const open = (): Connection => openConnection({ kubeconfig: "/nowhere/kubeconfig" });
    expect(open).toThrow("/nowhere/kubeconfig");
  });
});
