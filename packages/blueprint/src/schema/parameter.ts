import { z } from "zod";
import { limits } from "../limits.ts";
import { identifier, scalar, text } from "./fields.ts";

const allowedValue = z.strictObject({
  value: scalar,
  label: text(200).optional(),
  hint: text(1_000).optional(),
});

const count = z.int().min(0).max(1_000_000);

/**
 * A value that the customer chooses (a parameter) or the operator sets (a setting). The longer names `defaultValue`,
 * `minValue` and `maxValue`, and `show` for `display`, are read as well; what comes out has the shorter ones.
 */
export const parameterSchema = z
  .strictObject({
    name: identifier,
    label: text(200).optional(),
    /** `number` is any finite number, `integer` a whole one. */
    type: z.enum(["string", "number", "integer", "boolean"]),
    required: z.boolean().default(false),
    display: z.boolean().optional(),
    show: z.boolean().optional(),
    immutable: z.boolean().optional(),
    upgradeOnly: z.boolean().optional(),
    hint: text(1_000).optional(),
    placeholder: text(200).optional(),
    section: text(100).optional(),
    /** What a text must be beside its length. An app that refuses the owner's address would fail only while it starts. */
    format: z.enum(["email"]).optional(),
    editor: z.enum(["default", "textarea"]).optional(),
    allowedValues: z.array(allowedValue).min(1).max(limits.allowedValues).optional(),
    min: z.number().optional(),
    minValue: z.number().optional(),
    max: z.number().optional(),
    maxValue: z.number().optional(),
    step: z.number().positive().optional(),
    minLength: count.optional(),
    maxLength: count.optional(),
    default: scalar.optional(),
    defaultValue: scalar.optional(),
  })
  .superRefine((value, context) => {
    const refuseBoth = (short: keyof typeof value, long: keyof typeof value): void => {
      if (value[short] !== undefined && value[long] !== undefined)
        context.addIssue({ code: "custom", path: [long], message: `Write ${short} or ${long}, not both.` });
    };
    refuseBoth("display", "show");
    refuseBoth("min", "minValue");
    refuseBoth("max", "maxValue");
    refuseBoth("default", "defaultValue");
  })
  .transform(({ show, minValue, maxValue, defaultValue, ...rest }) => {
    const { display, min = minValue, max = maxValue, default: fallback = defaultValue, ...parameter } = rest;
    return {
      ...parameter,
      display: display ?? show ?? true,
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
      ...(fallback !== undefined && { default: fallback }),
    };
  });

export type ParameterDefinition = z.output<typeof parameterSchema>;
