import { options as optionBag, unfit } from "./arguments.js";
import { ADMISSION } from "./engine.js";
import type { AnyEvents, EventRegistry } from "./events.js";
import { EventStore } from "./store.js";
import type { TestParts } from "./test-host.js";
import { testHost, testParts } from "./test-host.js";
import type { TestStoreOptions } from "./test-store.js";
import { randomId } from "./uuid.js";

/**
 * What befalls a tab: `"quota"` lets no write find room, until {@link TestTab.recover}; `"connectionLost"` loses the answer to
 * the next write, which takes place.
 */
export type TabFault = "quota" | "connectionLost";

/**
 * A tab of a test: a store of its own, that shares what it keeps with the other tabs, and tells them what it appends, as tabs of
 * a browser do.
 */
export interface TestTab<Registry extends EventRegistry = AnyEvents> {
  /** The store that is open in the tab. After a {@link TestTab.reload} it is another one. */
  readonly store: EventStore<Registry>;
  /** Stops it: what it is asked waits, and it learns nothing of what others write, until it is thawed. */
  freeze(): void;
  /** Lets it go on where it was stopped. */
  thaw(): void;
  /**
   * Ends it. What has not been written by now never will be; every promise of its store that is not settled rejects with `CLOSED`,
   * as do all later calls.
   */
  kill(): void;
  /** Kills it, and opens its store anew on what is kept. */
  reload(): Promise<void>;
  /** Has it meet a fault. An append after which the connection was lost resolves: the store finds its events in the log. */
  fail(fault: TabFault): void;
  /** Lets all go well again. */
  recover(): void;
}

/** Tabs, as many as were asked for. */
export type TestTabs<Count extends number, Registry extends EventRegistry = AnyEvents> = ListOf<TestTab<Registry>, Count> & {
  /** Closes the stores of all tabs; frozen ones are thawed first. */
  close(): Promise<void>;
  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** A list of so many items, or of any number where that is not known. */
type ListOf<Item, Count extends number, List extends readonly Item[] = []> = number extends Count
  ? readonly Item[]
  : List["length"] extends Count
    ? List
    : ListOf<Item, Count, readonly [...List, Item]>;

const COUNT_MAX = 100;

/**
 * Opens tabs for a test, with one clock and one empty memory: each has a store of its own. Of what one appends the others learn as
 * in a browser, a little later or when they look. Close them at the end of the test. Errors: `INVALID_ARGUMENT`.
 *
 * @example
 * const tabs = await openTestTabs(2);
 * tabs[1].freeze();
 * await tabs[0].store.append("account-1", opened);
 * tabs[1].thaw();
 * await tabs.close();
 */
export async function openTestTabs<const Count extends number, Registry extends EventRegistry = AnyEvents>(
  count: Count,
  options: TestStoreOptions<Registry> = {},
): Promise<TestTabs<Count, Registry>> {
  const { events, ...world } = optionBag(options, ["events", "clock", "ids"]);
  if (!Number.isSafeInteger(count) || count < 1 || COUNT_MAX < count) throw unfit(count, "count", `a whole number from 1 to ${COUNT_MAX}`);
  // Other pages of the origin may run tests as well.
  const place: Place = { parts: testParts(world), events: events as EventRegistry | undefined, memory: `everfold-test-tabs-${randomId()}`, opened: 0 };
  // Keeps the memory, whatever becomes of the tabs.
  const keeper = new Tab(place);
  const tabs = Array.from({ length: count }, () => new Tab(place));
  for (const tab of [keeper, ...tabs]) await tab.open();
  const close = async () => {
    for (const tab of [...tabs, keeper]) await tab.close();
  };
  return Object.assign(tabs, { close, [Symbol.asyncDispose ?? Symbol()]: close }) as unknown as TestTabs<Count, Registry>;
}

/** What the tabs of a test share. */
interface Place {
  readonly parts: TestParts;
  readonly events: EventRegistry | undefined;
  readonly memory: string;
  /** How many stores were opened here. */
  opened: number;
}

/** A tab as long as its page is not reloaded. */
interface Life {
  fault: TabFault | undefined;
  /** Where it is frozen, what is woken when it is thawed. */
  frozen: { readonly thawed: Promise<void>; wake(): void } | undefined;
  isKilled: boolean;
}

class Tab implements TestTab<EventRegistry> {
  readonly #place: Place;
  #life: Life = newLife();
  #store: EventStore<EventRegistry> | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  get store(): EventStore<EventRegistry> {
    return this.#store as EventStore<EventRegistry>;
  }

  async open(): Promise<void> {
    const { parts, events, memory } = this.#place;
    const life = newLife();
    this.#life = life;
    const tab = this.#place.opened;
    this.#place.opened += 1;
    const host = testHost(parts, { name: memory, tab, admit: (access) => admitted(life, access) });
    this.#store = await EventStore.openIn(host, `${memory}-${tab}`, { events, storage: "memory" });
  }

  freeze(): void {
    if (this.#life.frozen !== undefined || this.#life.isKilled) return;
    let wake = () => {};
    const thawed = new Promise<void>((resolve) => (wake = resolve));
    this.#life.frozen = { thawed, wake };
  }

  thaw(): void {
    this.#life.frozen?.wake();
    this.#life.frozen = undefined;
  }

  kill(): void {
    this.#life.isKilled = true;
    this.close().catch(() => {});
  }

  async reload(): Promise<void> {
    this.#life.isKilled = true;
    await this.close();
    await this.open();
  }

  fail(fault: TabFault): void {
    if (fault !== "quota" && fault !== "connectionLost") throw unfit(fault, "fault", '"quota" or "connectionLost"');
    this.#life.fault = fault;
  }

  recover(): void {
    this.#life.fault = undefined;
  }

  close(): Promise<void> {
    this.thaw();
    return this.store.close();
  }
}

function newLife(): Life {
  return { fault: undefined, frozen: undefined, isKilled: false };
}

/** What becomes of an access to the memory. */
function admitted(life: Life, access: "read" | "write"): number | Promise<number> {
  if (life.isKilled) return ADMISSION.killed;
  // It may be frozen again, or killed, before its turn comes.
  if (life.frozen !== undefined) return life.frozen.thawed.then(() => admitted(life, access));
  if (access === "read" || life.fault === undefined) return ADMISSION.granted;
  if (life.fault === "quota") return ADMISSION.full;
  life.fault = undefined;
  return ADMISSION.answerLost;
}
