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
import { Orders } from "./projection.js";

/** So many orders come with one press of the second button. */
const ORDERS_AT_ONCE = 20;

/** How often it is shown how far the documents are. */
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
  offerStartOver(byId("start-over"), STORE, onError);
  const store = await openStore(STORE, notices, events);
  if (store === undefined) return;
  await seedShop(store, Date.now());
  const orders = await store.project(Orders);
  showBoard(byId("board"), orders, { onStep: (stream, step) => void command(() => store.execute(Order, stream, step, { metadata })), onError });
  const feed = new EventFeed(byId("events"), { summarise, onError });
  feed.open(store, { after: Math.max(0, store.position - PAST_POSITIONS), query: { categories: ["order"] } });
  watch(store, orders);
  offerWork(store, orders);
}

/** Shows how far the documents are, and how far the log. */
function watch(store, orders) {
  const look = () => {
    const [at, end] = [orders.position, store.position];
    const isBehind = at < end;
    byId("position").textContent = isBehind ? `folded to position ${formatCount(at)} of ${formatCount(end)}` : `as of position ${formatCount(end)}: all of the log`;
  };
  setInterval(look, LOOK_MS);
  orders.subscribe(look);
  look();
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
        toast(`The documents were made anew from ${formatCount(store.position)} events in ${Math.round(performance.now() - begun_ms)} ms.`);
      } finally {
        rebuild.disabled = false;
      }
    }),
  );
  for (const button of [one, many, rebuild]) button.disabled = false;
}

open().catch(onError);
