import {
  createOrganization,
  leaveOrganization,
  listOrganizations,
  readOrganization,
  transferOwnership,
  updateOrganization,
} from "@sewa/core";
import type { OrganizationDto } from "../auth/dto.ts";
import { organizationSchema } from "../auth/schema.ts";
import { toOrganizationDto } from "../auth/to-dto.ts";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput, nothing } from "../schema.ts";
import { confirmed, organizationProcedure, userProcedure } from "../trpc.ts";
import type { MemberDto, MembershipDto, MembershipPageDto } from "./dto.ts";
import { invitationsRouter } from "./invitations-router.ts";
import { membersRouter } from "./members-router.ts";
import {
  createOrganizationInput,
  memberInput,
  memberSchema,
  membershipPageSchema,
  membershipSchema,
  updateOrganizationInput,
} from "./schema.ts";
import { toMemberDto, toMembershipDto } from "./to-dto.ts";

export const organizationsRouter = {
  list: userProcedure
    .input(listInput)
    .output(membershipPageSchema)
    .query(async ({ ctx, input }): Promise<MembershipPageDto> =>
      toPageDto(await listOrganizations(coreContext(ctx), input), toMembershipDto),
    ),

  create: userProcedure
    .input(createOrganizationInput)
    .output(membershipSchema)
    .mutation(async ({ ctx, input }): Promise<MembershipDto> =>
      toMembershipDto(await createOrganization(coreContext(ctx), input)),
    ),

  get: organizationProcedure("organization.read")
    .input(nothing)
    .output(organizationSchema)
    .query(async ({ ctx }): Promise<OrganizationDto> => toOrganizationDto(await readOrganization(coreContext(ctx)))),

  // It says how it shall be, so saying it twice changes nothing and no key is needed.
  update: organizationProcedure("organization.write")
    .input(updateOrganizationInput)
    .output(organizationSchema)
    .mutation(async ({ ctx, input }): Promise<OrganizationDto> =>
      toOrganizationDto(await updateOrganization(coreContext(ctx), input)),
    ),

  // Without a key: who has left is not let in a second time.
  leave: organizationProcedure("organization.leave")
    .input(nothing)
    .output(memberSchema)
    .mutation(async ({ ctx }): Promise<MemberDto> => toMemberDto(await leaveOrganization(coreContext(ctx)))),

  // Without a key: who has handed it over may not do so again.
  transferOwnership: confirmed(organizationProcedure("organization.transfer"))
    .input(memberInput)
    .output(memberSchema)
    .mutation(async ({ ctx, input }): Promise<MemberDto> =>
      toMemberDto(await transferOwnership(coreContext(ctx), { userId: uuidOf("user", input.userId) })),
    ),

  members: membersRouter,
  invitations: invitationsRouter,
};
