// Why a line is slower than its peer, where it is.

const BATCH =
  "Each event is checked, judged and encoded, and its id looked up: that takes the time, and not the transaction. The peer makes one text of them, and checks nothing.";
const SINGLE = "The transaction is the same; the rest is checking, judging and encoding the event, and answering.";
const SLOWEST = "The slow ones are the browser's: both sides wait for the same storage process.";

const REASONS = {
  "single-small": SINGLE,
  "single-large": SINGLE,
  "single-small-p95": SLOWEST,
  "single-large-p95": SLOWEST,
  "unawaited-blobs": "Each of the appends is a call of its own, with one promise, its own expectation and judgement; the peer makes one text of all.",
  "batches-blobs": BATCH,
  "cold-blobs":
    "The wasm is loaded within the time, a tenth of it; the rest is as the peer's: most of it reading, `JSON.parse` and the objects of the events, which no store can do without. `npm run bench -- --profile` shows it.",
  "cold-rows": "The wasm is loaded and the index of the log is built within the time; the peer only reads.",
  "open-wide":
    "Head, format, root and tail are one transaction, and computing takes a tenth of the time; the rest is what a page that was just loaded pays for its first calls of timers, random numbers, the channel to other tabs and transactions with several stores.",
  "open-wide-unstarted": "The wasm is loaded and compiled as well; the peer reads one record.",
  "stream-small": "The index of the log is built; the peer's was built when it was written.",
};

/** A sentence for a line of this key. */
export function reasonOf(key) {
  return REASONS[key] ?? "Why has not been looked into.";
}
