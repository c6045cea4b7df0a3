// Why a line is slower than its peer, where it is.

const REASONS = {
  single: "The transaction is the same; the rest is checking, judging and encoding the event, and answering.",
  "single-p95": "The slow ones are the browser's: both sides wait for the same storage process.",
  "unawaited-blobs": "Each of the appends is a call of its own, with its own promise, expectation and judgement; the peer makes one text of all.",
  "batches-blobs": "Each event is checked, judged and encoded, and its id looked up; the peer makes one text of them and checks nothing.",
  "batches-one-blobs": "Each event is checked and encoded, and its id looked up; the peer makes one text of them and checks nothing.",
  "cold-blobs": "The wasm is loaded and the index of the log is built within the time; the peer only parses.",
  "cold-rows": "The wasm is loaded and the index of the log is built within the time; the peer only reads.",
  open: "The wasm is loaded and compiled, and the log is read to build its index; the peer opens a database and reads nothing.",
};

/** A sentence for a line of this key. */
export function reasonOf(key) {
  return REASONS[key] ?? "Why has not been looked into.";
}
