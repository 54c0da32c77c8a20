import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { unknownResource } from "../kube/status.ts";
import type { Registry } from "../resources/registry.ts";
import { readRecorded } from "../schema/schema.ts";
import type { Answer } from "./http.ts";
import { pageNotFound, text } from "./http.ts";

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Discovery: the recorded answers of a real server, reduced to the kinds that are served here. */
export class Discovery {
  readonly #registry: Registry;
  readonly #version = readRecorded("version.json");
  readonly #groups = readRecorded("apis.json");
  readonly #aggregatedCore = readRecorded("api-aggregated.json");
  readonly #aggregatedGroups = readRecorded("apis-aggregated.json");

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Null when the path is none of discovery. */
  answer(path: string, accept: string, address: string): Answer | null {
    const wantsAggregated = accept.includes("as=APIGroupDiscoveryList");
    if (path === "/version" || path === "/version/") return { status: 200, body: this.#version };
    if (path === "/api" || path === "/api/") {
      if (wantsAggregated)
        return { status: 200, body: this.#aggregated(this.#aggregatedCore), contentType: aggregatedType };
      const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress: address }];
      return { status: 200, body: { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs } };
    }
    if (path === "/apis" || path === "/apis/") {
      if (wantsAggregated)
        return { status: 200, body: this.#aggregated(this.#aggregatedGroups), contentType: aggregatedType };
      return { status: 200, body: { ...this.#groups, groups: this.#servedGroups() } };
    }
    const [root, group = "", version, ...rest] = path.split("/").slice(1);
    if (rest.length > 0 && rest[0] !== "") return null;
    if (root === "api") return group === "v1" ? this.#resourceList("v1") : null;
    if (root !== "apis") return null;
    const known = this.#servedGroups().find((item) => item["name"] === group);
    if (known === undefined) return pageNotFound();
    if (version === undefined || version === "") {
      return { status: 200, body: { kind: "APIGroup", apiVersion: "v1", ...known } };
    }
    return this.#resourceList(`${group}/${version}`);
  }

  #resourceList(groupVersion: string): Answer {
    const list = this.#registry.discovery(groupVersion);
    if (list === null) throw unknownResource();
    return { status: 200, body: list };
  }

  #servedGroups(): JsonRecord[] {
    const names = new Set(this.#registry.all.map((resource) => resource.group));
    return listOf(this.#groups["groups"])
      .map(recordOf)
      .filter((group) => names.has(stringOf(group["name"])));
  }

  #aggregated(list: JsonRecord): JsonRecord {
    const items = listOf(list["items"])
      .filter(isRecord)
      .flatMap((item) => {
        const group = stringOf(recordOf(item["metadata"])["name"]);
        const versions = listOf(item["versions"])
          .filter(isRecord)
          .flatMap((version) => {
            const name = stringOf(version["version"]);
            const resources = listOf(version["resources"])
              .map(recordOf)
              .filter((resource) => this.#registry.find(group, name, stringOf(resource["resource"])) !== undefined);
            return resources.length === 0 ? [] : [{ ...version, resources }];
          });
        return versions.length === 0 ? [] : [{ ...item, versions }];
      });
    return { ...list, items };
  }
}

/** Health is open to everybody and always good: the server answers or it does not. */
export function healthAnswer(path: string, isVerbose: boolean): Answer | null {
  const name = path.slice(1);
  if (!["healthz", "livez", "readyz"].includes(name)) return null;
  return text(200, isVerbose ? `[+]ping ok\n[+]log ok\n${name} check passed\n` : "ok");
}
