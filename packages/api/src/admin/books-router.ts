import { listBooksFindings, listBooksRuns, unpark } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { operatorProcedure } from "../trpc.ts";
import {
  booksFindingPageSchema,
  booksRunPageSchema,
  listBooksFindingsInput,
  parkingSchema,
  unparkInput,
} from "./books-schema.ts";
import { toBooksFindingDto, toBooksRunDto, toParkingDto } from "./books-to-dto.ts";
import type { BooksFindingPageDto, BooksRunPageDto, ParkingDto } from "./dto.ts";

export const booksRouter = {
  findings: operatorProcedure("admin.books.read")
    .input(listBooksFindingsInput)
    .output(booksFindingPageSchema)
    .query(async ({ ctx, input }): Promise<BooksFindingPageDto> =>
      toPageDto(await listBooksFindings(coreContext(ctx), input), toBooksFindingDto),
    ),

  runs: operatorProcedure("admin.books.read")
    .input(listInput)
    .output(booksRunPageSchema)
    .query(async ({ ctx, input }): Promise<BooksRunPageDto> =>
      toPageDto(await listBooksRuns(coreContext(ctx), input), toBooksRunDto),
    ),

  // It says how it shall be, so saying it twice changes nothing and no key is needed.
  unpark: operatorProcedure("admin.books.unpark")
    .input(unparkInput)
    .output(parkingSchema)
    .mutation(async ({ ctx, input: { organizationId: publicId, reason } }): Promise<ParkingDto> => {
      const organizationId = uuidOf("organization", publicId);
      return toParkingDto(organizationId, await unpark(coreContext(ctx), { organizationId, reason }));
    }),
};
