import type { Ingress, Pod } from "../kube/kinds.ts";

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function page(title: string, lead: string, rows: readonly (readonly [string, string])[]): string {
  const list = rows.map(([name, value]) => `<tr><th>${escape(name)}</th><td>${escape(value)}</td></tr>`).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escape(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th { text-align: left; padding: 0.2rem 1.5rem 0.2rem 0; font-weight: 600; vertical-align: top; }
td { word-break: break-all; }
</style>
</head>
<body>
<h1>${escape(title)}</h1>
<p>${escape(lead)}</p>
<table>
${list}
</table>
</body>
</html>
`;
}

/** What a running app shows here: which app it stands for. */
export function appPage(host: string, ingress: Ingress, service: string, pod: Pod): string {
  const labels = Object.entries({ ...ingress.metadata.labels }).map(([name, value]) => [name, value] as const);
  return page(
    host,
    "This is a development cluster: no app runs here. On a real cluster, the app named below would answer at this address.",
    [
      ["Image", pod.spec.containers.map((container) => container.image).join(", ")],
      ["Namespace", pod.metadata.namespace ?? ""],
      ["Service", service],
      ["Pod", pod.metadata.name],
      ["Node", pod.spec.nodeName ?? ""],
      ["Running since", pod.status.startTime ?? ""],
      ...labels,
    ],
  );
}

export function unavailablePage(host: string, why: string): string {
  return page(host, "This is a development cluster. The app behind this address does not answer at the moment.", [
    ["Reason", why],
  ]);
}

export function unknownPage(host: string): string {
  return page("Nothing here", "This is a development cluster. No app has this address.", [["Host", host]]);
}
