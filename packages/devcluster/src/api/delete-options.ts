import { invalidValue, notSupported } from "../kube/causes.ts";
import { recordOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { badRequest, internal, invalidOptions } from "../kube/status.ts";
import { writeOptions, type WriteOptions } from "../objects/context.ts";
import type { DeleteOptions } from "../objects/delete.ts";
import { integerParameter } from "./query.ts";

const kind = "DeleteOptions";
const policies = ["Foreground", "Background", "Orphan"] as const;

/** The wishes of a DELETE, from its body or, where that is empty, from the query. */
export function parseDeleteOptions(
  query: URLSearchParams,
  text: string,
): DeleteOptions & { readonly options: WriteOptions } {
  const body = parseBody(text);
  const preconditions = recordOf(body["preconditions"]);
  const policy = stringOf(body["propagationPolicy"]) || (query.get("propagationPolicy") ?? "");
  const grace = body["gracePeriodSeconds"] ?? integerParameter(query, "gracePeriodSeconds");
  const propagation = policies.find((item) => item === policy);
  if (policy !== "" && propagation === undefined) {
    throw invalidOptions(kind, [notSupported("propagationPolicy", policy, [...policies, "nil"])]);
  }
  if (policy !== "" && body["orphanDependents"] !== undefined) {
    const detail = "orphanDependents and deletionPropagation cannot be both set";
    throw invalidOptions(kind, [invalidValue("propagationPolicy", policy, detail)]);
  }
  const dryRun = [...query.getAll("dryRun"), ...(Array.isArray(body["dryRun"]) ? body["dryRun"] : [])];
  if (dryRun.some((value) => value !== "All")) throw invalidOptions(kind, [notSupported("dryRun", dryRun, ["All"])]);
  const uid = stringOf(preconditions["uid"]);
  const resourceVersion = stringOf(preconditions["resourceVersion"]);
  return {
    options: writeOptions("", { isDryRun: dryRun.length > 0 }),
    ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
    ...(typeof grace === "number" ? { gracePeriodSeconds: grace } : {}),
    ...(uid === "" ? {} : { uid }),
    ...(resourceVersion === "" ? {} : { resourceVersion }),
  };
}

function parseBody(text: string): JsonRecord {
  if (text.trim() === "") return {};
  let body: JsonRecord;
  try {
    body = recordOf(JSON.parse(text));
  } catch {
    throw badRequest("couldn't get version/kind; json parse error: unexpected end of JSON input");
  }
  const given = stringOf(body["kind"]);
  if (given === "" || given === kind) return body;
  throw internal(`no kind "${given}" is registered for version "v1" in scheme "pkg/runtime/scheme.go:110"`);
}
