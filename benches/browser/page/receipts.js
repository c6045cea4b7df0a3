// Receipts: what is read of them, how they are sorted, and whether they are paid. A document each.

import { Prng } from "./prng.js";

const MERCHANTS = 200;
const CATEGORIES = ["travel", "food", "office", "software", "other"];
const TAGS = ["client", "refund", "cash", "card", "abroad", "monthly"];
/** Of each receipt there are so many events. */
const EVENTS_PER_RECEIPT = 3;
/** The day of the first receipt. */
const START_ms = Date.UTC(2025, 0, 1);
const DAY_ms = 86_400_000;

/** So many events, of three types, and their streams: those of one receipt stand close together, as they come. */
export function receiptEvents(seed, count) {
  const prng = new Prng(seed);
  const receipts = Array.from({ length: Math.ceil(count / EVENTS_PER_RECEIPT) }, () => `receipt-${prng.uuid()}`);
  const events = receipts.flatMap((stream, number) => [
    { at: number, stream, type: "ReceiptScanned", data: scanned(prng) },
    { at: number + prng.below(50), stream, type: "ReceiptSorted", data: { category: prng.pick(CATEGORIES), tags: TAGS.filter(() => prng.below(3) === 0) } },
    { at: number + 50 + prng.below(500), stream, type: "ReceiptPaid", data: { account: `account ${prng.below(5)}` } },
  ]);
  // Sorting keeps the order of those that come at once.
  return events.sort((one, other) => one.at - other.at).slice(0, count);
}

function scanned(prng) {
  const lines = Array.from({ length: 1 + prng.below(3) }, () => ({ text: `item ${prng.below(500)}`, cents: 1 + prng.below(9_000) }));
  const day = new Date(START_ms + DAY_ms * prng.below(500)).toISOString().slice(0, 10);
  return { merchant: `merchant ${prng.below(MERCHANTS)}`, day, currency: "EUR", lines };
}

/** What becomes of a receipt with an event. */
export const HANDLERS = {
  ReceiptScanned: (_, { data }) => ({ ...data, status: "new", cents: data.lines.reduce((sum, line) => sum + line.cents, 0), tags: [] }),
  ReceiptSorted: (receipt, { data }) => receipt && { ...receipt, status: "sorted", category: data.category, tags: data.tags },
  ReceiptPaid: (receipt, { data }) => receipt && { ...receipt, status: "paid", account: data.account },
};

/** The same as a document. */
export const STEPS = {
  ReceiptScanned: [
    { $remove: true },
    { $set: { merchant: "$data.merchant", day: "$data.day", currency: "$data.currency", lines: "$data.lines", status: "new", cents: 0, tags: [] } },
    { $for: { line: "$data.lines" }, $inc: { cents: "$line.cents" } },
  ],
  ReceiptSorted: { $if: "$state", $set: { status: "sorted", category: "$data.category", tags: "$data.tags" } },
  ReceiptPaid: { $if: "$state", $set: { status: "paid", account: "$data.account" } },
};

/** What a loop over the events comes to. */
export function naiveReceipts(events) {
  const receipts = new Map();
  for (const event of events) receipts.set(event.stream, HANDLERS[event.type](receipts.get(event.stream), event));
  return receipts;
}
