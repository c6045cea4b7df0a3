import { options as optionBag } from "./arguments.js";
import type { AnyEvents, EventRegistry } from "./events.js";
import { EventStore } from "./store.js";
import type { TestWorld } from "./test-host.js";
import { testHost, testParts } from "./test-host.js";
import { ADMISSION } from "./engine.js";

/** How a store for a test is opened. */
export interface TestStoreOptions<Registry extends EventRegistry = AnyEvents> extends TestWorld {
  /** The events of the domain. */
  readonly events?: Registry | undefined;
}

let storeCount = 0;

/**
 * Opens an empty store in memory, of its own, which does the same in every run: events and facts get their times from the `clock`,
 * events their ids from `ids`, and pauses take no time. Close it at the end of the test. Errors: `INVALID_ARGUMENT`, also of an append where the clock says what is no time or the ids what is no UUID.
 *
 * @example
 * const clock = testClock("2026-01-01T00:00:00Z");
 * const store = await openTestStore({ events: bank, clock });
 * await store.append("account-1", opened);
 * clock.advance(1_000);
 */
export async function openTestStore<Registry extends EventRegistry = AnyEvents>(
  options: TestStoreOptions<Registry> = {},
): Promise<EventStore<Registry>> {
  const { events, ...world } = optionBag(options, ["events", "clock", "ids"]);
  storeCount += 1;
  const name = `everfold-test-${storeCount}`;
  const host = testHost(testParts(world), { name, tab: 0, admit: () => ADMISSION.granted });
  return EventStore.openIn(host, name, { events: events as Registry | undefined, storage: "memory" });
}
