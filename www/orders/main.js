// Opens the shop's store, and shows its orders as a projection keeps them.

import { byId } from "../parts/element.js";
import { EventFeed } from "../parts/event-feed.js";
import { formatCount } from "../parts/format.js";
import { Notices } from "../parts/notice.js";
import { openStore } from "../parts/open-store.js";
import { offerStartOver } from "../parts/start-over.js";
import { TAB } from "../parts/tab-name.js";
import { toast } from "../parts/toast.js";
import { Order, STORE, events, summarise } from "../shop/domain.js";
import { placeOrder, seedShop } from "../shop/ordering.js";
import { showBoard } from "./board.js";
import { showOutside } from "./outside-panel.js";
import { Orders } from "./projection.js";
import { CATEGORIES, streamOf } from "./saga.js";
import { WorkPanel } from "./work-panel.js";

/** So many orders come with one press of the second button. */
const ORDERS_AT_ONCE = 20;

/** How often it is shown how far the board is. */
const LOOK_MS = 500;

/** So far back events are shown that came before the page was opened. */
const PAST_POSITIONS = 40;

const notices = new Notices(byId("notices"));
const onError = (error) => notices.show(error);
const metadata = { tab: TAB };

/** What the shop's rules refuse is said, and no failure. */
async function command(work) {
  try {
    await work();
  } catch (error) {
    if (error?.name === "Error") toast(error.message, "refused");
    else onError(error);
  }
}

async function open() {
  byId("tab-name").textContent = TAB;
  offerStartOver(byId("start-over"), { name: STORE, whose: "Shop and Orders" }, onError);
  const store = await openStore(STORE, notices, events);
  if (store === undefined) return;
  await seedShop(store, Date.now());
  const orders = await store.project(Orders);
  const story = new Story(store);
  showBoard(byId("board"), orders, {
    onStep: (stream, step) => void command(() => store.execute(Order, stream, { step, reason: step === "Cancel" ? "by hand" : undefined }, { metadata })),
    onChoose: (stream) => story.tell(stream),
    onError,
  });
  showOutside(store, metadata, onError);
  new WorkPanel(store, TAB, onError);
  watch(store, orders);
  offerWork(store, orders);
}

/** The feed: what happens to all orders, or the story of one. */
class Story {
  #store;
  #feed = new EventFeed(byId("events"), { summarise, onError });
  #all = byId("all-orders");

  constructor(store) {
    this.#store = store;
    this.#all.addEventListener("click", () => this.#tellAll());
    this.#tellAll();
  }

  /** Tells everything that came of an order. */
  tell(order) {
    byId("events-heading").textContent = `What came of ${order}`;
    this.#all.hidden = false;
    this.#feed.open(this.#store, { query: { streams: CATEGORIES.map((category) => streamOf(order, category)) } });
  }

  #tellAll() {
    byId("events-heading").textContent = "Live feed";
    this.#all.hidden = true;
    this.#feed.open(this.#store, { after: Math.max(0, this.#store.position - PAST_POSITIONS), query: { categories: [...CATEGORIES, "outside"] } });
  }
}

/** Shows up to where the log is on the board. */
function watch(store, orders) {
  const place = byId("position");
  let known = -1;
  const look = async () => {
    const end = store.position;
    if (end === known) return;
    known = end;
    try {
      await orders.waitFor(end);
      if (end === known) place.textContent = `the board is as of position ${formatCount(end)}`;
    } catch {
      // What stands in the way is said where the documents are shown.
      place.textContent = `the board is behind position ${formatCount(end)}`;
    }
  };
  setInterval(look, LOOK_MS);
  void look();
}

function offerWork(store, orders) {
  const [one, many, rebuild] = [byId("place-one"), byId("place-many"), byId("rebuild")];
  one.addEventListener("click", () => void command(() => placeOrder(store, metadata)));
  many.addEventListener("click", () =>
    command(async () => {
      many.disabled = true;
      try {
        await Promise.all(Array.from({ length: ORDERS_AT_ONCE }, () => placeOrder(store, metadata)));
      } finally {
        many.disabled = false;
      }
    }),
  );
  rebuild.addEventListener("click", () =>
    command(async () => {
      rebuild.disabled = true;
      const begun_ms = performance.now();
      try {
        await orders.rebuild();
        toast(`The board was rebuilt from ${formatCount(store.position)} events in ${Math.round(performance.now() - begun_ms)} ms.`);
      } finally {
        rebuild.disabled = false;
      }
    }),
  );
  for (const button of [one, many, rebuild]) button.disabled = false;
}

open().catch(onError);
