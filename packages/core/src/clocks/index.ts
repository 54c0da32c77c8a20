export { advanceClock, findTestClock, maxAdvanceDays, stepClock, type TestClock } from "./advance-clock.ts";
