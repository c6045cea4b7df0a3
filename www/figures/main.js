// Opens the store in which this page measures, and shows its figures beside those of the other pages.

import { byId } from "../parts/element.js";
import { formatBytes } from "../parts/format.js";
import { Notices } from "../parts/notice.js";
import { openStore } from "../parts/open-store.js";
import { offerStartOver } from "../parts/start-over.js";
import { toast } from "../parts/toast.js";
import { LatencyPanel } from "./latency-panel.js";
import { offerPersistence, showOverview } from "./overview.js";
import { STORE, showStores } from "./stores.js";

const notices = new Notices(byId("notices"));
const onError = (error) => notices.show(error);

async function open() {
  offerStartOver(byId("start-over"), { name: STORE }, onError);
  const store = await openStore(STORE, notices);
  if (store === undefined) return;
  const measure = async () => {
    await showOverview(store);
    await showStores(byId("stores"));
  };
  const refresh = () => void measure().catch(onError);
  offerPersistence(store, onError);
  offerCompaction(store, refresh);
  byId("refresh").addEventListener("click", refresh);
  await showOverview(store);
  // A first run, so that there is something to see.
  await new LatencyPanel(store, { onDone: refresh, onError }).measure();
}

function offerCompaction(store, onDone) {
  const button = byId("compact");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { bytesBefore, bytesAfter } = await store.compact();
      const sizes = { from: formatBytes(bytesBefore), to: formatBytes(bytesAfter) };
      toast(bytesBefore === bytesAfter ? `Nothing was left to compact: ${sizes.to} are stored.` : `Compacted: from ${sizes.from} to ${sizes.to}.`);
    } catch (error) {
      onError(error);
    }
    button.disabled = false;
    onDone();
  });
  button.disabled = false;
}

open().catch(onError);
