export {
  advanceClock,
  findTestClock,
  type Measure,
  maxAdvanceDays,
  stepClock,
  sweepClocks,
  type TestClock,
} from "./advance-clock.ts";
