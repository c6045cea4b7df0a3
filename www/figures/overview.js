// The measures of one store and of the room that it has, and the promise of the browser to keep it.

import { byId } from "../parts/element.js";
import { formatBytes, formatCount, formatDecimal } from "../parts/format.js";
import { toast } from "../parts/toast.js";

const UNKNOWN = "Not said by the browser";

/** Measures a store, and shows it. */
export async function showOverview(store) {
  const { events, streams, segments, snapshots, bytes, bytesPerEvent, quota } = await store.stats();
  const texts = {
    events: formatCount(events),
    streams: formatCount(streams),
    bytes: formatBytes(bytes),
    bytesPerEvent: events === 0 ? "–" : formatDecimal(bytesPerEvent),
    segments: formatCount(segments),
    snapshots: formatCount(snapshots),
    storage: store.storage === "indexeddb" ? "IndexedDB" : "memory",
    position: formatCount(store.position),
  };
  for (const [key, text] of Object.entries(texts)) byId("overview").querySelector(`[data-figure="${key}"]`).textContent = text;
  showQuota(quota);
}

function showQuota({ usage, quota, persisted }) {
  const isKnown = usage !== undefined && quota !== undefined;
  byId("quota-text").textContent = isKnown ? `${formatBytes(usage)} of ${formatBytes(quota)} in use by this whole site` : UNKNOWN;
  byId("quota").max = isKnown ? quota : 1;
  byId("quota").value = isKnown ? usage : 0;
  const promises = { true: "Promised: the browser will not evict it by itself", false: "Not promised: short of room, the browser may delete it" };
  byId("persisted").textContent = promises[persisted] ?? UNKNOWN;
  byId("persist").disabled = persisted === true;
}

/** Lets the button ask the browser to keep what is stored. */
export function offerPersistence(store, onError) {
  byId("persist").addEventListener("click", async () => {
    try {
      const isPromised = await store.requestPersistence();
      if (isPromised) toast("The browser promised to keep what is stored here.");
      else toast("The browser did not promise it. Some do when a page is used often, or was added to the bookmarks.", "refused");
      await showOverview(store);
    } catch (error) {
      onError(error);
    }
  });
}
