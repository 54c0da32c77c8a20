import type { LabelSelector, Labels } from "./policy.ts";

/** Whether labels fit a selector. An empty one fits everything. Throws for an operator that Kubernetes does not have. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const exact = Object.entries(selector.matchLabels ?? {});
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const label = labels[key];
      switch (operator) {
        case "In":
          return label !== undefined && values.includes(label);
        case "NotIn":
          return label === undefined || !values.includes(label);
        case "Exists":
          return label !== undefined;
        case "DoesNotExist":
          return label === undefined;
        default:
          throw new Error(`There is no operator ${operator} of label selectors.`);
      }
    })
  );
}
