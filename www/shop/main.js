// Opens the shop, and has its parts follow the cart that is being filled.

import { byId } from "../parts/element.js";
import { EventFeed } from "../parts/event-feed.js";
import { follow } from "../parts/follow.js";
import { Notices } from "../parts/notice.js";
import { openStore } from "../parts/open-store.js";
import { offerStartOver } from "../parts/start-over.js";
import { TAB } from "../parts/tab-name.js";
import { toast } from "../parts/toast.js";
import { CartPanel } from "./cart-panel.js";
import { ConflictPanel } from "./conflict-panel.js";
import { CHECK_OUTS, Cart, CheckOuts, STORE, events, summarise } from "./domain.js";
import { checkOut, seedShop } from "./ordering.js";
import { showShelf } from "./shelf.js";

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
  show(store);
}

function show(store) {
  const execute = (order) => command(() => store.execute(Cart, panel.stream, order, { metadata }));
  const feed = new EventFeed(byId("events"), { summarise, onChoose: ({ revision }) => void panel.go(revision), onError });
  const panel = new CartPanel(store, { onCommand: execute, onMoment: (revision) => feed.mark(revision), onError });
  new ConflictPanel(store, panel, onError);
  showShelf(byId("shelf"), (sku) => {
    void panel.go(undefined);
    void execute({ type: "Add", sku, quantity: 1 });
  });
  byId("check-out").addEventListener("click", () => {
    // Pressed twice, it is one order.
    byId("check-out").disabled = true;
    void command(() => checkOut(store, panel.stream, { commandId: crypto.randomUUID(), metadata }));
  });
  store.on("OrderPlaced", (event) => {
    toast(`${event.stream} was placed for ${event.data.customer}${event.metadata.tab === TAB ? "" : ", in another tab"}`);
  });
  follow(
    store.live(CheckOuts, CHECK_OUTS),
    ({ state }) => {
      const stream = Cart.stream(String(state + 1));
      if (stream === panel.stream) return;
      panel.open(stream);
      feed.open(store, { query: { streams: [stream] } });
    },
    onError,
  );
}

open().catch(onError);
