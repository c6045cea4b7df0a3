// Why a line is slower than its peer, where it is.

const BATCH =
  "Each event is checked, judged and encoded, and its id looked up: that takes the time, and not the transaction. The peer makes one text of them, and checks nothing.";
const SINGLE = "The transaction is the same; the rest is checking, judging and encoding the event, and answering.";
const SLOWEST = "The slow ones are the browser's: both sides wait for the same storage process.";

const MEMORY =
  "Natively `cargo bench --bench folding` has the same code unpack and fold the same events, and says how many a second. Here it is wasm that is compiled for size, and within the time the head is asked for, and the states of 1,000 accounts cross and become objects.";

const REASONS = {
  "single-small": SINGLE,
  "single-large": SINGLE,
  "single-small-p95": SLOWEST,
  "single-large-p95": SLOWEST,
  execute: "Beside what the append does, the command is decided, its events are folded before they are written, and what comes back is the events and their state.",
  "unawaited-blobs": "Each of the appends is a call of its own, with one promise, its own expectation and judgement; the peer makes one text of all.",
  "batches-blobs": BATCH,
  "cold-blobs":
    "The wasm is loaded within the time, a tenth of it; the rest is as the peer's: most of it reading, `JSON.parse` and the objects of the events, which no store can do without. `npm run bench -- --profile` shows it.",
  "cold-rows": "The wasm is loaded and the index of the log is built within the time; the peer only reads.",
  "open-wide":
    "Head, format, root and the tail of the log are asked for in one transaction, which takes by hand what the line below says; the rest is running code that the page runs for the first time, and the channel to other tabs.",
  "open-wide-asked": "It asks for the same; what it has more is code that the page runs for the first time, the check of what is there, and the channel to other tabs.",
  "open-wide-unstarted": "The wasm is loaded and compiled as well; the peer reads one record.",
  "query-first": "The wasm is started within the time; the rest is opening the log, and two transactions: the model, and then the page of the index and the pages of the documents.",
  "query-get": "A page of documents is read and unpacked for one of them; the same page is at hand for the next.",
  "query-find": "The documents that an index names stand in as many pages, each of which is read and unpacked.",
  "stream-small": "The index of the log is built; the peer's was built when it was written.",
};

/** What stops a line of this key from meeting its bar, as the profiles of `npm run bench -- --profile` have it. */
const LIMITS = {
  "single-large":
    "`npm run bench -- --profile` prints a timeline of it beside the same transaction by hand: what is above the peer is spread over the whole append, before the transaction, between asking for the head and hearing of it, and after it is complete; a store in memory, the last line, takes about half of it. The head and the writes are asked for at once, where the peer waits for the head. To ask for no head at all would take a quarter less, and the storage alone could no longer tell that another tab was faster.",
  "batches-dexie": "The facade checks each event and writes it as JSON, the core judges, encodes and answers, and IndexedDB keeps: none of the three is most of a commit. What garbage a turn makes is partly collected within it.",
  "batches-blobs": BATCH,
  "fold-rust":
    "The browser hands over the records, and the wasm, which has everfold and the domain in one, is loaded and started within the time; how much is which has not been measured of this fold. The spread of the ratio is wider than what is lacking.",
  "fold-declarative": "As in Rust: the browser hands over the records, and the wasm is loaded and started within the time; how much is which has not been measured of this fold.",
  "fold-rust-memory": MEMORY,
  "fold-declarative-memory": MEMORY,
  "cold-dexie": "By hand, one JSON text a commit and nothing checked, reading takes what the line against that says; the wasm, which is started within the time, is between the two.",
  "open-wide": "By hand, the same four requests alone take what the next line says. `npm run bench -- --profile` opens the same log again and again in one page: about half of the time is code that runs for the first time.",
  "stream-large":
    "The events of a stream that is spread evenly stand in one block of each unit of up to 163,840 events or 12 MiB: about eight blocks at a million, one at ten thousand. Larger units would make it fewer, but who reads the log in its order has to hold all blocks of a unit at once.",
  "task-unawaited": "It is the loop that makes 10,000 appends, each of which is checked and written as JSON before the call returns; what the core does with them follows in a task of its own.",
  "task-read": "Tasks are told by the clock on the wall: where another process takes the processor meanwhile, and where the browser collects garbage, that is in them. everfold gives way after 8 ms, when what it has begun is done.",
};

/** What stops a line of this key from meeting its bar. */
export function limitOf(key) {
  return LIMITS[key] ?? "What stops it has not been looked into.";
}

/** A sentence for a line of this key. */
export function reasonOf(key) {
  return REASONS[key] ?? "Why has not been looked into.";
}
