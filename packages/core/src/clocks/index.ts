export {
  advanceClock,
  findTestClock,
  maxAdvanceDays,
  stepClock,
  sweepClocks,
  type TestClock,
} from "./advance-clock.ts";
