// `everfold/testing`: rules tested without a store, and stores that do the same in every run. For Node and browsers, with
// any test runner.
import "./beside.js";
import "./whole.js";

export { given } from "./given.js";
export type { GivenOptions, Outcome, Partially, Scenario, Thrown } from "./given.js";
export { testClock, testIds } from "./test-host.js";
export type { TestClock, TestWorld } from "./test-host.js";
export { openTestStore } from "./test-store.js";
export type { TestStoreOptions } from "./test-store.js";
export { openTestTabs } from "./test-tabs.js";
export type { TabFault, TestTab, TestTabs } from "./test-tabs.js";
