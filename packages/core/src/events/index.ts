export { type DomainEvent, type EventType, eventTypes, isReasonOfHouse } from "./event.ts";
export {
  createOrganizationHead,
  type EventRow,
  listEvents,
  listEventsAfter,
  listLastEvents,
  readEventBounds,
} from "./queries.ts";
export { notifyOrganization, notifyUser, organizationChannel, record } from "./record.ts";
