// The lines of the table: what was measured of the store, of its peer, and how they compare.

import { percentile, spread } from "./statistics.mjs";

/**
 * @typedef {object} Line
 * @property {string} key tells lines apart that are explained
 * @property {string} what
 * @property {string} peer what it is compared with
 * @property {"ms" | "events/s"} unit
 * @property {{ median: number, min: number, max: number }} everfold
 * @property {{ median: number, min: number, max: number }} raw
 * @property {number} ratio the store's time over the peer's: below 1 the store is quicker
 */

const PEERS = { raw: "get head, put record, put head", blobs: "one JSON text a commit", rows: "one record an event" };

/** @returns {Line[]} */
export function linesOf({ singles, unawaited, batchesOfManyStreams, batchesOfOneStream, coldReads, plan }) {
  const { batchCount, batchEvents } = plan.batches;
  const batches = `${batchCount} commits of ${whole(batchEvents)} events`;
  return [
    ...latencyLines(singles),
    ...rateLines("unawaited", `${whole(unawaited.count)} appends, awaited together`, unawaited),
    ...rateLines("batches", `${batches}, of 1,000 streams`, batchesOfManyStreams),
    ...rateLines("batches-one", `${batches}, of one stream`, batchesOfOneStream),
    ...rateLines("cold", `open and read ${whole(coldReads.count)} events in a new page`, coldReads),
    ...openLines(coldReads),
  ];
}

/** A number with its thousands set apart. */
export function whole(number) {
  return Math.round(number).toLocaleString("en-US");
}

/** The spread is that of the rounds' own medians. */
function latencyLines({ count, recordBytes, results }) {
  const of = (share) => (rounds) => ({
    ...spread(rounds.map(({ latencies_ms }) => percentile(latencies_ms, share))),
    median: percentile(rounds.flatMap(({ latencies_ms }) => latencies_ms), share),
  });
  const line = (key, what, measured) => {
    const [everfold, raw] = [measured(results.everfold), measured(results.raw)];
    const peer = `${PEERS.raw} (${recordBytes} bytes)`;
    return { key, what, peer, unit: "ms", everfold, raw, ratio: everfold.median / raw.median };
  };
  return [
    line("single", `one append, awaited, ${count} times a round: median`, of(0.5)),
    line("single-p95", "the same: 95th percentile", of(0.95)),
  ];
}

function rateLines(key, what, { count, results }) {
  const rates = (rounds) => spread(rounds.map(({ elapsed_ms }) => (count / elapsed_ms) * 1_000));
  const everfold = rates(results.everfold);
  return ["blobs", "rows"].map((peer) => {
    const raw = rates(results[peer]);
    return { key: `${key}-${peer}`, what, peer: PEERS[peer], unit: "events/s", everfold, raw, ratio: raw.median / everfold.median };
  });
}

function openLines({ count, results }) {
  const opened = (rounds) => spread(rounds.map(({ open_ms }) => open_ms));
  const [everfold, raw] = [opened(results.everfold), opened(results.blobs)];
  const what = `open alone, with ${whole(count)} events, the wasm not loaded yet`;
  return [{ key: "open", what, peer: "open the database", unit: "ms", everfold, raw, ratio: everfold.median / raw.median }];
}
