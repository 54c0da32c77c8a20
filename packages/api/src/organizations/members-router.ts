import { changeMemberRole, listMembers, removeMember } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { MemberDto, MemberPageDto } from "./dto.ts";
import { changeRoleInput, memberPageSchema, memberSchema, removeMemberInput } from "./schema.ts";
import { toMemberDto } from "./to-dto.ts";

export const membersRouter = {
  list: organizationProcedure("member.read")
    .input(listInput)
    .output(memberPageSchema)
    .query(async ({ ctx, input }): Promise<MemberPageDto> =>
      toPageDto(await listMembers(coreContext(ctx), input), toMemberDto),
    ),

  // It says how it shall be, so saying it twice changes nothing and no key is needed.
  changeRole: organizationProcedure("member.write")
    .input(changeRoleInput)
    .output(memberSchema)
    .mutation(async ({ ctx, input: { userId, role } }): Promise<MemberDto> =>
      toMemberDto(await changeMemberRole(coreContext(ctx), { userId: uuidOf("user", userId), role })),
    ),

  remove: organizationProcedure("member.write")
    .input(removeMemberInput)
    .output(memberSchema)
    .mutation(async ({ ctx, input: { userId, idempotencyKey } }): Promise<MemberDto> =>
      toMemberDto(await removeMember(coreContext(ctx), { userId: uuidOf("user", userId), idempotencyKey })),
    ),
};
