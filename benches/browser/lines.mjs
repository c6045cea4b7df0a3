// The lines of the table: what was measured of the store, of its peer, how they compare, and what is wanted.

import { judged } from "./bars.mjs";
import { percentile, spread } from "./statistics.mjs";

/**
 * @typedef {{ median: number, min: number, max: number }} Spread over the rounds
 *
 * @typedef {object} Line
 * @property {string} key tells lines apart
 * @property {string} group under which heading it stands
 * @property {string} what
 * @property {string} peer what it is compared with; empty where there is nothing
 * @property {"ms" | "events/s" | "bytes" | "MB"} unit
 * @property {Spread | undefined} everfold nothing where it could not be measured
 * @property {Spread | undefined} other the peer's
 * @property {Spread | undefined} ratio of the store's figure to the peer's, round by round
 * @property {{ bar: import("./bars.mjs").Bar, text: string, verdict: string }[]} bars
 */

const MEGABYTE = 1_000_000;

const PEER_NAMES = { dexie: "Dexie, bulkAdd", blobs: "one JSON text a commit", rows: "one record an event" };
const READ_PEER_NAMES = { ...PEER_NAMES, dexie: "Dexie, toArray" };
const SINGLE_PEER = "get head, put record, put head";

/** @returns {Line[]} */
export function linesOf(results) {
  return [...appendLines(results), ...readLines(results), ...projectionLines(results), ...sizeLines(results), ...burdenLines(results)].map((line) => ({
    ...line,
    bars: judged(line),
  }));
}

/** A number with its thousands set apart. */
export function whole(number) {
  return Math.round(number).toLocaleString("en-US");
}

/** What one line compares, round by round; the peer's rounds and the store's are those that took turns. */
function line({ everfold, other, ...rest }) {
  // Of a peer without a long task nothing is a multiple.
  const isPaired = other?.length === everfold.length && !other.includes(0);
  const ratio = isPaired ? spread(everfold.map((value, round) => value / other[round])) : undefined;
  return { ...rest, everfold: everfold.length === 0 ? undefined : spread(everfold), other: other && spread(other), ratio };
}

function appendLines({ singles, commands, appends, unawaited, batches, plan }) {
  const { batchCount, batchEvents } = plan.batches;
  const group = "Appending";
  return [
    ...latencyLines("single-small", "a new log", singles),
    ...latencyLines("single-large", `a log of ${whole(appends.at(-1).events)} events`, appends.at(-1)),
    commandLine(group, commands),
    ...rateLines(group, "unawaited", `${whole(unawaited.count)} appends, awaited together`, PEER_NAMES, unawaited),
    ...rateLines(group, "batches", `${batchCount} commits of ${whole(batchEvents)} events`, PEER_NAMES, batches),
  ];
}

function latencyLines(key, where, { results }) {
  const of = (share) => (rounds) => rounds.map(({ latencies_ms }) => percentile(latencies_ms, share));
  const row = (rowKey, what, measured) =>
    line({ group: "Appending", key: rowKey, what, peer: SINGLE_PEER, unit: "ms", everfold: measured(results.everfold), other: measured(results.raw) });
  return [
    row(key, `one append, awaited, in ${where}: median`, of(0.5)),
    row(`${key}-p95`, `one append, awaited, in ${where}: 95th percentile`, of(0.95)),
  ];
}

/** A command beside an append of the same event. */
function commandLine(group, { accounts, results }) {
  const [everfold, other] = ["execute", "append"].map((contestant) => results[contestant].map(({ latencies_ms }) => percentile(latencies_ms, 0.5)));
  const what = `one command, awaited, to one of ${accounts} accounts in turn: median`;
  return line({ group, key: "execute", what, peer: "everfold, the same event appended, awaited", unit: "ms", everfold, other });
}

function rateLines(group, key, what, names, { count, results }) {
  const rates = (rounds) => rounds.map(({ elapsed_ms }) => (count / elapsed_ms) * 1_000);
  return ["dexie", "rows", "blobs"].map((peer) =>
    line({ group, key: `${key}-${peer}`, what, peer: names[peer], unit: "events/s", everfold: rates(results.everfold), other: rates(results[peer]) }),
  );
}

/** The same events in a page that was not visited before, and in a log that nobody has compacted. */
function otherReadLines(group, { count, results }) {
  const row = (key, what, reader, part) => {
    const [everfold, other] = [reader, "dexie"].map((contestant) => results[contestant].map((round) => (count / round[part]) * 1_000));
    return line({ group, key, what, peer: READ_PEER_NAMES.dexie, unit: "events/s", everfold, other });
  };
  return [
    row("cold-unvisited", "the same, in a page not visited before", "everfold", "unvisited_ms"),
    row("cold-uncompacted", "the same, of a log that was not compacted", "uncompacted", "elapsed_ms"),
  ];
}

/** All events, each account folded into a state: how many events a second that makes. */
function foldLines(group, { count, folds }) {
  const rates = (contestant, part) => folds[contestant].map((round) => (count / round[part]) * 1_000);
  const what = `open, fold all of ${whole(count)} events, wasm start included`;
  const peer = "Dexie, toArray and reduce";
  const row = (key, how, contestant, part) =>
    line({ group, key, what: how, peer, unit: "events/s", everfold: rates(contestant, part), other: rates("dexie", part) });
  return [
    row("fold-rust", `${what}, in Rust`, "rust", "elapsed_ms"),
    row("fold-declarative", `${what}, by a document`, "declarative", "elapsed_ms"),
    row("fold-functions", `${what}, by functions`, "functions", "elapsed_ms"),
    row("fold-rust-unvisited", "the same, in a page not visited before, in Rust", "rust", "unvisited_ms"),
    row("fold-declarative-unvisited", "the same, in a page not visited before, by a document", "declarative", "unvisited_ms"),
    row("fold-rust-again", "the same once more, in Rust", "rust", "again_ms"),
    row("fold-declarative-again", "the same once more, by a document", "declarative", "again_ms"),
    row("fold-functions-again", "the same once more, by functions", "functions", "again_ms"),
    row("fold-rust-third", "a third time, from memory, in Rust", "rust", "third_ms"),
    row("fold-declarative-third", "a third time, from memory, by a document", "declarative", "third_ms"),
    row("fold-functions-third", "a third time, from memory, by functions", "functions", "third_ms"),
    row("fold-rust-memory", "the fourth to the tenth time, from memory, in Rust", "rust", "later_ms"),
    row("fold-declarative-memory", "the fourth to the tenth time, from memory, by a document", "declarative", "later_ms"),
    row("fold-functions-memory", "the fourth to the tenth time, from memory, by functions", "functions", "later_ms"),
  ];
}

/** One long stream, with and without a snapshot. */
function loadLine(group, { count, results }) {
  const [everfold, other] = ["snapshot", "replayed"].map((loader) => results[loader].map(({ elapsed_ms }) => elapsed_ms));
  const what = `open, load a stream of ${whole(count)} events by functions, of which 100 came after its snapshot`;
  return line({ group, key: "load-snapshot", what, peer: "everfold, without snapshot", unit: "ms", everfold, other });
}

function readLines({ coldReads, coldLoads, wideLog, logs, openings, streams }) {
  const group = "Opening and reading, in a page just reloaded";
  const [small, large] = [logs[0], logs.at(-1)];
  const opened = (contestant) => elapsed(openings, wideLog, contestant);
  const open = (key, what, contestant, peer = "open, get the head", other = "raw") =>
    line({ group, key, what, peer, unit: "ms", everfold: opened(contestant), other: opened(other) });
  const wide = `${whole(wideLog.events)} events in ${whole(wideLog.streams)} streams`;
  const stream = (key, log, peer, other) => {
    const what = `open, read a stream of ${log.events / log.streams} of ${whole(log.events)} events`;
    return line({ group, key, what, peer, unit: "ms", everfold: elapsed(streams, log, "everfold"), other });
  };
  return [
    ...rateLines(group, "cold", `open, read all of ${whole(coldReads.count)} events, wasm start included`, READ_PEER_NAMES, coldReads),
    ...otherReadLines(group, coldReads),
    ...foldLines(group, coldReads),
    open("open-wide", `open, ${wide}`, "everfold"),
    open("open-wide-asked", `open, ${wide}`, "everfold", "the same requests by hand", "asked"),
    open("open-wide-unstarted", `open, ${wide}, wasm start included`, "everfoldUnstarted"),
    loadLine(group, coldLoads),
    stream("stream-small", small, "Dexie, by its index", elapsed(streams, small, "dexie")),
    stream("stream-large", large, `everfold, of ${whole(small.events)}`, elapsed(streams, small, "everfold")),
  ];
}

/** What the rounds of a contestant took in a log. */
export function elapsed(measured, log, contestant) {
  const found = measured.find((each) => each.name === log.name && each.contestant === contestant);
  return found.rounds.map(({ elapsed_ms }) => elapsed_ms);
}

/** Documents of a projection: how fast the log is folded into them, and how long they take to be found. */
function projectionLines({ projections, queries }) {
  const group = "Read models with two indexes";
  const { count, documents, results } = projections;
  const rates = (contestant) => results[contestant].map(({ elapsed_ms }) => (count / elapsed_ms) * 1_000);
  const asked = (key, what, peer, part) => {
    const [everfold, other] = ["everfold", "dexie"].map((contestant) => queries.results[contestant].map((round) => round[part]));
    return line({ group, key, what, peer, unit: "ms", everfold, other });
  };
  const what = `${whole(count)} events of the log folded into ${whole(documents)} documents`;
  return [
    line({ group, key: "project", what, peer: "Dexie, bulkGet and bulkPut, of events in memory", unit: "events/s", everfold: rates("everfold"), other: rates("dexie") }),
    line({ group, key: "project-declarative", what: `${what}, by a document`, peer: "Dexie, bulkGet and bulkPut, of events in memory", unit: "events/s", everfold: rates("declarative"), other: rates("dexie") }),
    asked("query-first", "open, find 20 documents, in a page just loaded, wasm start included", "Dexie, where and limit", "first_ms"),
    asked("query-get", "get one document", "Dexie, get", "get_ms"),
    asked("query-find", "find 20 documents by two values", "Dexie, where and limit", "find_ms"),
  ];
}

function sizeLines({ coldReads, sizes }) {
  const { count } = coldReads;
  const group = "Bytes an event in IndexedDB";
  const perEvent = ({ bytes }, events) => [bytes / events];
  const row = (key, what, peer, stored, other) => line({ group, key, what, peer, unit: "bytes", everfold: stored, other });
  const kind = (key, what, { events, jsonBytes, ...stored }) => row(key, what, "as JSON", perEvent(stored, events), [jsonBytes / events]);
  const callers = perEvent(coldReads.sizes.everfold, count);
  return [
    ...["dexie", "rows", "blobs"].map((peer) => {
      const key = peer === "dexie" ? "bytes-callers" : `bytes-callers-${peer}`;
      const name = peer === "dexie" ? "Dexie, without its indexes" : PEER_NAMES[peer];
      return row(key, "bank, ids from callers", name, callers, perEvent(coldReads.sizes[peer], count));
    }),
    kind("bytes-own", "bank, ids from the store", sizes.own),
    kind("bytes-singly", "bank, ids from callers, appended singly without awaiting", sizes.singly),
    ...(sizes.trace === undefined ? [] : [kind("bytes-trace", "editing session, ids from the store", sizes.trace)]),
  ];
}

/** What a page bears: the wasm's memory, and the longest of the tasks that hold it up. */
function burdenLines({ walks, logs, compactions, coldReads, batches, unawaited }) {
  const group = "Memory, and the longest task";
  const large = `${whole(logs.at(-1).events)} events`;
  const burden = (key, what, unit, everfold, peer = "", other = undefined) =>
    line({ group, key, what, peer, unit, everfold, other, judgedBy: "max" });
  const longest = (rounds) => rounds.map(({ longTasks_ms }) => Math.max(0, ...longTasks_ms));
  const of = (part) => walks.map((walk) => Math.max(0, ...walk[part]));
  const compacted = [...compactions, coldReads.compaction].filter((compaction) => compaction);
  const beside = (key, what, { results }) =>
    burden(key, what, "ms", longest(results.everfold), PEER_NAMES.dexie, longest(results.dexie));
  return [
    burden("memory", `wasm memory after opening and reading through ${large}`, "MB", walks.map(({ memoryBytes }) => memoryBytes / MEGABYTE)),
    burden("task-open", `longest task while opening ${large}, wasm start included`, "ms", of("openLongTasks_ms")),
    burden("task-read", `longest task while reading through ${large}`, "ms", of("readLongTasks_ms")),
    burden("task-compact", compacted.length === 0 ? "longest task while compacting: not compacted" : "longest task while compacting", "ms", longest(compacted)),
    beside("task-batches", "longest task during commits of many events", batches),
    beside("task-unawaited", "longest task during appends awaited together", unawaited),
  ];
}
