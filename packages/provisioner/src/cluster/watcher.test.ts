import { describe, expect, test } from "vitest";
import type { LiveObject } from "../observe/wire.ts";
import { createKindCache } from "./cache.ts";
import { liveHash } from "./live-hash.ts";
import { createLimiter } from "./limiter.ts";
import { toSlim, type Slim } from "./slim.ts";

const configMap = (
  name: string,
  data: Record<string, string>,
  more: Record<string, unknown> = {},
): LiveObject & { readonly data: unknown } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "n", labels: { "sewa.dev/instance": "i" }, resourceVersion: "1", ...more },
  data,
});
const slim = (name: string, data: Record<string, string>): Slim<"ConfigMap"> =>
  toSlim("ConfigMap", configMap(name, data));
const names = (slims: readonly Slim[]): string[] => slims.map(({ name }) => name).toSorted();

describe("the hash of a live object", () => {
  const hash = liveHash(configMap("a", { k: "1" }));

  test("does not see what is not ours: versions, status, order, annotations of controllers", () => {
    const { apiVersion, kind, metadata, ...content } = configMap("a", { k: "1" });
    const annotations = { "deployment.kubernetes.io/revision": "3" };
    // List items carry no kind; a status comes and goes.
    expect(
      liveHash({
        ...content,
        metadata: { ...metadata, resourceVersion: "9", annotations },
        status: { x: 1 },
      } as LiveObject),
    ).toBe(hash);
    expect([apiVersion, kind]).toEqual(["v1", "ConfigMap"]);
  });

  test("sees drift in content, labels and our own annotations", () => {
    const drifted = [
      configMap("a", { k: "2" }),
      configMap("a", { k: "1", l: "1" }),
      configMap("a", { k: "1" }, { labels: {} }),
      configMap("a", { k: "1" }, { annotations: { "sewa.dev/generation": "2" } }),
    ].map(liveHash);
    expect(new Set([hash, ...drifted]).size).toBe(5);
  });
});

describe("the memory of a watch", () => {
  test("tells what a full list changes: new, different, gone", () => {
    const cache = createKindCache<"ConfigMap">();
    expect(names(cache.replace([slim("a", {}), slim("b", {}), slim("c", {})]))).toEqual(["a", "b", "c"]);
    expect(names(cache.replace([slim("a", {}), slim("b", { k: "1" }), slim("d", {})]))).toEqual(["b", "c", "d"]);
    expect(cache.size).toBe(3);
    expect(names(cache.all())).toEqual(["a", "b", "d"]);
  });

  test("tells an event that changes nothing from one that does", () => {
    const cache = createKindCache<"ConfigMap">();
    expect(cache.set(slim("a", {}))).toBe(true);
    expect(cache.set(slim("a", {}))).toBe(false);
    expect(cache.set(slim("a", { k: "1" }))).toBe(true);
    expect(cache.delete(slim("a", {}))).toBe(true);
    expect(cache.delete(slim("a", {}))).toBe(false);
    expect([cache.size, cache.inNamespace("n")]).toEqual([0, []]);
  });
});

test("a limiter hands places over in order and gives them back after a failure", async () => {
  const limit = createLimiter(1);
  const order: number[] = [];
  const failed = limit(() => Promise.reject(new Error("first")));
  const others = [2, 3].map((n) => limit(async () => void order.push(n)));
  await expect(failed).rejects.toThrow("first");
  await Promise.all(others);
  expect(order).toEqual([2, 3]);
  await expect(limit(() => Promise.resolve("free"))).resolves.toBe("free");
});
