import { expect, test } from "vitest";
import { testCluster } from "../testing/client.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";

test("the token of the kubeconfig is demanded: none is an anonymous 403, a wrong one a 401", async () => {
  await using test = await testCluster();
  const url = `${test.cluster.url}${configMaps}`;
  expect((await fetch(url)).status).toBe(403);
  expect((await fetch(url, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  expect((await fetch(`${test.cluster.url}/readyz`)).status).toBe(200);
  expect((await test.get(configMaps)).status).toBe(200);
});

test.each([
  ["a body above 3 MiB", { data: { a: "x".repeat(3_200_000) } }, 413, "RequestEntityTooLarge"],
  ["data above 1 MiB", { data: { a: "x".repeat(1_048_577) } }, 422, "Invalid"],
  ["annotations above 256 KiB", { annotations: { a: "x".repeat(262_145) } }, 422, "Invalid"],
] as const)("%s is refused", async (_name, content, status, reason) => {
  await using test = await testCluster();
  const { annotations, data } = content as { annotations?: object; data?: object };
  const answer = await test.call("POST", configMaps, { metadata: { name: "x", annotations }, data });
  expect([answer.status, answer.body.reason]).toEqual([status, reason]);
});

test("no text is sent for paths that cannot be decoded, and the server goes on", async () => {
  await using test = await testCluster();
  expect((await test.get("/api/v1/namespaces/%E0%A4%A/pods")).status).toBeGreaterThanOrEqual(400);
  expect((await test.get(configMaps)).status).toBe(200);
});
