import { toPublicId } from "../ids.ts";
import type { Notification } from "./notification.ts";
import { unreachable } from "../errors.ts";

/**
 * Where in the frontend the button of a mail leads; null for the kinds whose link is minted with a token. A frontend has
 * to serve these paths.
 */
export function portalPathOf({ kind, data }: Notification): string | null {
  switch (kind) {
    case "verify_email":
    case "reset_password":
    case "invitation":
      return null;
    case "register_attempt":
      return "/forgot-password";
    case "sign_in_added":
    case "sign_in_removed":
    case "password_changed":
    case "password_expiring":
    case "second_factor_changed":
    case "second_factor_reset":
    case "impersonation_began":
    case "impersonation_ended":
      return "/settings/security";
    case "app_held":
    case "app_ready":
    case "change_not_made":
      return `/instances/${toPublicId("instance", data.instanceId)}`;
    case "app_expiring":
    case "app_expired":
    case "app_deletion_soon":
    case "trial_ending":
    case "payment_due":
    case "usage_due":
    case "usage_alert":
    case "usage_capped":
    case "change_payment_due":
    case "payment_failed":
      return `/subscriptions/${toPublicId("subscription", data.subscriptionId)}`;
    case "top_up_failed":
    case "payment_in_wallet":
      return "/wallet";
    case "app_deleted":
    case "app_failed":
      return "/catalog";
    default:
      return unreachable(kind);
  }
}
