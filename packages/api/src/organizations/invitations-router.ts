import {
  acceptInvitation,
  createInvitation,
  declineInvitation,
  getInvitation,
  listInvitations,
  revokeInvitation,
} from "@sewa/core";
import { tokenInput } from "../auth/schema.ts";
import { coreContext } from "../core-context.ts";
import { uuidOf } from "../ids.ts";
import { toPageDto } from "../page.ts";
import { listInput } from "../schema.ts";
import { organizationProcedure, publicProcedure, userProcedure } from "../trpc.ts";
import type { InvitationDto, InvitationPageDto, InvitationPreviewDto, MembershipDto } from "./dto.ts";
import {
  createInvitationInput,
  invitationInput,
  invitationPageSchema,
  invitationPreviewSchema,
  invitationSchema,
  membershipSchema,
} from "./schema.ts";
import { toInvitationDto, toMembershipDto } from "./to-dto.ts";

export const invitationsRouter = {
  create: organizationProcedure("invitation.write")
    .input(createInvitationInput)
    .output(invitationSchema)
    .mutation(async ({ ctx, input }): Promise<InvitationDto> =>
      toInvitationDto(await createInvitation(coreContext(ctx), input)),
    ),

  list: organizationProcedure("invitation.read")
    .input(listInput)
    .output(invitationPageSchema)
    .query(async ({ ctx, input }): Promise<InvitationPageDto> =>
      toPageDto(await listInvitations(coreContext(ctx), input), toInvitationDto),
    ),

  // One that was taken back stays so, however often it is said, and no key is needed.
  revoke: organizationProcedure("invitation.write")
    .input(invitationInput)
    .output(invitationSchema)
    .mutation(async ({ ctx, input: { invitationId } }): Promise<InvitationDto> =>
      toInvitationDto(await revokeInvitation(coreContext(ctx), uuidOf("invitation", invitationId))),
    ),

  // Public, because who is invited may have no account yet and has to be told with which address to make one.
  get: publicProcedure
    .input(tokenInput)
    .output(invitationPreviewSchema)
    .query(({ ctx, input }): Promise<InvitationPreviewDto> => getInvitation(coreContext(ctx), input)),

  // The token is the key: who has accepted gets the same answer again.
  accept: userProcedure
    .input(tokenInput)
    .output(membershipSchema)
    .mutation(async ({ ctx, input }): Promise<MembershipDto> =>
      toMembershipDto(await acceptInvitation(coreContext(ctx), input)),
    ),

  decline: userProcedure
    .input(tokenInput)
    .output(invitationPreviewSchema)
    .mutation(({ ctx, input }): Promise<InvitationPreviewDto> => declineInvitation(coreContext(ctx), input)),
};
