import type { FaultyAnswer, RefusalStatus } from "../answers.ts";
import { alreadyExists, ApiError, type ErrorSubject, forbidden, invalid, modified, notFound } from "../kube/status.ts";
import type { Asked } from "./asked.ts";
import { errorAnswer, text, type Answer } from "./http.ts";

/** Whoever the kubeconfig names. */
const user = "devcluster";
const nothing: ErrorSubject = { group: "", plural: "", kind: "" };

/** 403 of the access rules: `asker` may not do this. */
export function accessDenied({ verb, path, route }: Asked, asker: string): ApiError {
  const who = `User "${asker}"`;
  if (route === null) {
    return new ApiError(403, "Forbidden", `forbidden: ${who} cannot ${verb} path "${path}"`, { details: {} });
  }
  const { resource, name, namespace } = route;
  const { group, plural } = resource;
  const qualified = group === "" ? plural : `${plural}.${group}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const subject = name === null ? qualified : `${qualified} "${name}"`;
  const message = `${subject} is forbidden: ${who} cannot ${verb} resource "${plural}" in API group "${group}" ${where}`;
  const details = { ...(name === null ? {} : { name }), ...(group === "" ? {} : { group }), kind: plural };
  return new ApiError(403, "Forbidden", message, { details });
}

/** What a real server sends when it refuses, whatever the reason that a test has for it. */
export function refusalOf(how: Exclude<FaultyAnswer, string | { delayMs: number }> | "quota", asked: Asked): Answer {
  const subject = asked.route?.resource ?? nothing;
  const name = asked.route?.name ?? "";
  if (how === "quota") {
    const counted = `count/${subject.group === "" ? subject.plural : `${subject.plural}.${subject.group}`}=1`;
    const why = `exceeded quota: plan, requested: ${counted}, used: ${counted}, limited: ${counted}`;
    return errorAnswer(forbidden(subject, name, why));
  }
  const retryAfter = { "retry-after": String(how.retryAfterSeconds ?? 1) };
  // Priority and fairness answer before the API does, in plain text.
  if (how.status === 429) return text(429, "Too many requests, please try again later.\n", retryAfter);
  const answer = errorAnswer(refusals[how.status](asked, subject, name));
  return how.status === 503 ? { ...answer, headers: retryAfter } : answer;
}

type Refusal = (asked: Asked, subject: ErrorSubject, name: string) => ApiError;

const refusals: Readonly<Record<Exclude<RefusalStatus, 429>, Refusal>> = {
  401: () => new ApiError(401, "Unauthorized", "Unauthorized"),
  403: (asked) => accessDenied(asked, user),
  404: (_, subject, name) => notFound(subject, name),
  409: ({ verb }, subject, name) => (verb === "create" ? alreadyExists(subject, name, false) : modified(subject, name)),
  410: () => new ApiError(410, "Expired", "The resourceVersion for the provided list is too old."),
  422: (_, subject, name) => {
    const message = "Forbidden: not allowed by the policy of the cluster";
    return invalid(subject, name, [{ reason: "FieldValueForbidden", message, field: "spec" }]);
  },
  500: () => new ApiError(500, undefined, "etcdserver: leader changed"),
  503: () => {
    const message = "the server is currently unable to handle the request";
    return new ApiError(503, "ServiceUnavailable", message);
  },
  504: () => new ApiError(504, "Timeout", "Timeout: request did not complete within the allotted timeout"),
};
