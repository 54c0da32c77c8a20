import { getOperation, listOperations } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { organizationProcedure } from "../trpc.ts";
import type { OperationDto, OperationPageDto } from "./dto.ts";
import { listOperationsInput, operationInput, operationPageSchema, operationSchema } from "./schema.ts";
import { toOperationDto } from "./to-dto.ts";

export const operationsRouter = {
  list: organizationProcedure("operation.read")
    .input(listOperationsInput)
    .output(operationPageSchema)
    .query(async ({ ctx, input: { instanceId, ...page } }): Promise<OperationPageDto> => {
      const filter = instanceId === undefined ? {} : { instanceId: uuidOf("instance", instanceId) };
      return toPageDto(await listOperations(coreContext(ctx), { ...page, ...filter }), toOperationDto);
    }),

  get: organizationProcedure("operation.read")
    .input(operationInput)
    .output(operationSchema)
    .query(async ({ ctx, input }): Promise<OperationDto> =>
      toOperationDto(await getOperation(coreContext(ctx), uuidOf("operation", input.operationId))),
    ),
};
