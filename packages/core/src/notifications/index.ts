export { countQueuedMails } from "./count-mails.ts";
export {
  type Locale,
  locales,
  type Notification,
  type NotificationData,
  type NotificationKind,
  notificationKinds,
  type TokenLink,
  type TokenLinkKind,
} from "./notification.ts";
export { notifyOwner, type QueueNotification, queueMailTo, queueNotification } from "./queue-notification.ts";
export {
  type Mail,
  type Mailer,
  type SendDependencies,
  sendNotification,
  type SendOutcome,
} from "./send-notification.ts";
export { sweepNotifications } from "./sweep-notifications.ts";
