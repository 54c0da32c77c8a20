export { countKeys, type KeyUse, requireKeys } from "./count-keys.ts";
export { rewrapKeys } from "./rewrap-keys.ts";
export { findLastRotation, type KeyRotationRow, rotateKeys } from "./rotate-keys.ts";
export { openSecret, sealSecret } from "./seal.ts";
export { secondFactorContext } from "./sealed-things.ts";
