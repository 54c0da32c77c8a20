export {
  createOutgoing,
  type Outgoing,
  type OutgoingAnswer,
  OutgoingError,
  type OutgoingOptions,
  type OutgoingRefusal,
  type OutgoingRequest,
} from "./outgoing.ts";
export { toList as toAddressRanges } from "./address-rules.ts";
