import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStore, defineEvents, eventType } from "../../dist/index.js";
import { newName, refused, withStore } from "./check.mjs";

const EVENT = { type: "A" };
const LONE = "a\ud800";
const LONG = "x".repeat(257);
const TAGS_33 = Array.from({ length: 33 }, (_, index) => `t${index}`);
const NAMES_1001 = Array.from({ length: 1001 }, (_, index) => `n${index}`);
const NAMES_1000 = NAMES_1001.slice(1);
// Looks like a signal, and cannot be listened to.
const LOOK_ALIKE = { aborted: false, reason: undefined };
const append = (options) => (store) => store.append("s", EVENT, options);
const event = (properties) => (store) => store.append("s", { ...EVENT, ...properties });
const condition = (failIfEventsMatch, after) => append({ condition: { failIfEventsMatch, after } });
const read = (options) => (store) => store.read("s", options).toArray();
const readAll = (options) => (store) => store.readAll(options).toArray();
const replay = (options) => (store) => store.replay(options, () => {});

// The call, the path of what is wrong with it, and its code where that is not INVALID_ARGUMENT.
const BAD = [
  // Streams.
  [(store) => store.append("", EVENT), "stream"],
  [(store) => store.append(undefined, EVENT), "stream"],
  [(store) => store.append(7, EVENT), "stream"],
  [(store) => store.append(LONE, EVENT), "stream"],
  [(store) => store.append(LONG, EVENT), "stream", "LIMIT_EXCEEDED"],
  [(store) => store.append("ü".repeat(129), EVENT), "stream", "LIMIT_EXCEEDED"],
  [(store) => store.read("").toArray(), "stream"],
  [(store) => store.read(LONG).toArray(), "stream", "LIMIT_EXCEEDED"],
  [(store) => store.delete(LONE), "stream"],
  [(store) => store.tombstone(LONG), "stream", "LIMIT_EXCEEDED"],
  [(store) => store.truncate("", { before: 1 }), "stream"],
  [(store) => store.streamInfo(null), "stream"],
  [(store) => store.streamInfo(LONG), "stream", "LIMIT_EXCEEDED"],
  // Nothing is undefined, and null is something.
  [read({ from: null }), "options.from"],
  [readAll({ after: null }), "options.after"],
  [replay({ after: null }), "options.after"],
  [(store) => store.streams({ prefix: null }).toArray(), "options.prefix"],
  [() => EventStore.open("a", { storage: null }), "options.storage"],
  // Events.
  [(store) => store.append("s"), "events[0]"],
  [(store) => store.append("s", null), "events[0]"],
  [(store) => store.append("s", [EVENT, "A"]), "events[1]"],
  [(store) => store.append("s", [EVENT, [EVENT]]), "events[1]"],
  [event({ type: undefined }), "events[0].type"],
  [event({ type: "" }), "events[0].type"],
  [event({ type: "$deleted" }), "events[0].type"],
  [event({ type: LONE }), "events[0].type"],
  [event({ type: LONG }), "events[0].type", "LIMIT_EXCEEDED"],
  [event({ dta: 1 }), "events[0].dta"],
  [event({ id: "1" }), "events[0].id"],
  [event({ id: 1 }), "events[0].id"],
  [event({ id: "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5g" }), "events[0].id"],
  [event({ tags: "x" }), "events[0].tags"],
  [event({ tags: ["a", ""] }), "events[0].tags[1]"],
  [event({ tags: ["a", 1] }), "events[0].tags[1]"],
  [event({ tags: [, "a"] }), "events[0].tags[0]"],
  [event({ tags: [LONE] }), "events[0].tags[0]"],
  [event({ tags: [LONG] }), "events[0].tags[0]", "LIMIT_EXCEEDED"],
  [event({ tags: TAGS_33 }), "events[0].tags", "LIMIT_EXCEEDED"],
  [event({ data: "x".repeat(10_000_000) }), "events[0]", "LIMIT_EXCEEDED"],
  [event({ metadata: [] }), "events[0].metadata"],
  [event({ metadata: "x" }), "events[0].metadata"],
  [event({ metadata: new Date() }), "events[0].metadata"],
  [event({ metadata: { a: { b: Number.NaN } } }), "events[0].metadata.a.b"],
  [event({ metadata: { toJSON: () => "x" } }), "events[0].metadata"],
  [event({ metadata: { commandId: "c" } }), "events[0].metadata.commandId"],
  [event({ metadata: { correlationId: "c" } }), "events[0].metadata.correlationId"],
  [event({ metadata: { causationId: "c" } }), "events[0].metadata.causationId"],
  [event({ metadata: { schemaVersion: 1 } }), "events[0].metadata.schemaVersion"],
  [event({ time: Number.NaN }), "events[0].time"],
  [event({ time: 1.5 }), "events[0].time"],
  [event({ time: 8.64e15 + 2 }), "events[0].time"],
  [event({ time: new Date(Number.NaN) }), "events[0].time"],
  [event({ time: "2026-01-31T08:00:00" }), "events[0].time"],
  [event({ time: "2026-01-31" }), "events[0].time"],
  [event({ time: "2026-02-30T08:00:00Z" }), "events[0].time"],
  [event({ time: "2026-13-01T08:00:00Z" }), "events[0].time"],
  [event({ time: "2026-01-31T25:00:00Z" }), "events[0].time"],
  [event({ time: "31 January 2026" }), "events[0].time"],
  [event({ time: { getTime: () => 1 } }), "events[0].time"],
  [event({ time: 1n }), "events[0].time"],
  [(store) => store.append("s", new Array(200_000).fill(EVENT)), "events", "LIMIT_EXCEEDED"],
  [(store) => store.append("s", new Array(17).fill({ ...EVENT, data: "x".repeat(1_000_000) })), "events", "LIMIT_EXCEEDED"],
  // Options of an append.
  [append(null), "options"],
  [append("any"), "options"],
  [append({ expectd: 1 }), "options.expectd"],
  [append({ expected: "exists" }), "options.expected"],
  [append({ expected: null }), "options.expected"],
  [append({ expected: -1 }), "options.expected"],
  [append({ expected: -2 }), "options.expected"],
  [append({ expected: 1.5 }), "options.expected"],
  [append({ expected: 2 ** 53 }), "options.expected"],
  [append({ expected: Number.NaN }), "options.expected"],
  [append({ expected: 1n }), "options.expected"],
  [append({ durability: "memory" }), "options.durability"],
  [append({ signal: {} }), "options.signal"],
  [append({ signal: null }), "options.signal"],
  [append({ signal: LOOK_ALIKE }), "options.signal"],
  [(store) => store.appendAll([], { signal: LOOK_ALIKE }), "options.signal"],
  [(store) => store.appendAll([], null), "options"],
  [append({ metadata: 1 }), "options.metadata"],
  [append({ metadata: { causationId: "x" } }), "options.metadata.causationId"],
  [append({ causedBy: "x" }), "options.causedBy"],
  [append({ causedBy: {} }), "options.causedBy.id"],
  [append({ condition: [] }), "options.condition"],
  [append({ condition: {} }), "options.condition.failIfEventsMatch"],
  [append({ condition: { query: {} } }), "options.condition.query"],
  [condition([]), "options.condition.failIfEventsMatch"],
  [condition({ types: [] }), "options.condition.failIfEventsMatch.types"],
  [condition([{}, { tags: [1] }]), "options.condition.failIfEventsMatch[1].tags[0]"],
  [condition({}, -1), "options.condition.after"],
  // Commits over several streams.
  [(store) => store.appendAll(EVENT), "writes"],
  [(store) => store.appendAll([EVENT]), "writes[0].type"],
  [(store) => store.appendAll([{ stream: "s", event: EVENT }]), "writes[0].event"],
  [(store) => store.appendAll([{ stream: "s" }, { stream: "" }]), "writes[1].stream"],
  [(store) => store.appendAll([{ stream: "s", expected: -1 }]), "writes[0].expected"],
  [(store) => store.appendAll([{ stream: "s", events: [EVENT, {}] }]), "writes[0].events[1].type"],
  [(store) => store.appendAll([{ stream: "s", expected: 1 }, { stream: "s", expected: 2 }]), "writes[1].expected"],
  [(store) => store.appendAll([], { expected: 1 }), "options.expected"],
  // Reads.
  [read({ from: -1 }), "options.from"],
  [read({ from: "0" }), "options.from"],
  [read({ before: 0.5 }), "options.before"],
  [read({ limit: -1 }), "options.limit"],
  [read({ direction: "up" }), "options.direction"],
  [read({ after: 3 }), "options.after"],
  [readAll({ after: -1 }), "options.after"],
  [readAll({ from: 0 }), "options.from"],
  [readAll({ since: "yesterday" }), "options.since"],
  [readAll({ until: Number.POSITIVE_INFINITY }), "options.until"],
  [readAll({ query: [] }), "options.query"],
  [readAll({ query: "A" }), "options.query"],
  [readAll({ query: { type: ["A"] } }), "options.query.type"],
  [readAll({ query: { types: "A" } }), "options.query.types"],
  [readAll({ query: [{ streams: ["a", ""] }] }), "options.query[0].streams[1]"],
  [readAll({ query: { tags: NAMES_1001 } }), "options.query.tags", "LIMIT_EXCEEDED"],
  [readAll({ query: NAMES_1001.map(() => ({})) }), "options.query", "LIMIT_EXCEEDED"],
  [readAll({ query: Array(11).fill({ types: NAMES_1000 }) }), "options.query", "LIMIT_EXCEEDED"],
  [readAll({ signal: 1 }), "options.signal"],
  [readAll({ signal: LOOK_ALIKE }), "options.signal"],
  [replay({ signal: LOOK_ALIKE }), "options.signal"],
  [(store) => store.streams({ signal: LOOK_ALIKE }).toArray(), "options.signal"],
  [(store) => store.count({}, { signal: LOOK_ALIKE }), "options.signal"],
  [(store) => store.compact({ signal: LOOK_ALIKE }), "options.signal"],
  [() => EventStore.open("a", { signal: LOOK_ALIKE }), "options.signal"],
  [replay({ rate: 0 }), "options.rate"],
  [replay({ rate: "fast" }), "options.rate"],
  [replay({ limit: 1 }), "options.limit"],
  [(store) => store.replay({}), "handler"],
  [(store) => store.event("1"), "id"],
  [(store) => store.streams({ prefix: 1 }).toArray(), "options.prefix"],
  [(store) => store.streams({ limit: -1 }).toArray(), "options.limit"],
  [(store) => store.count({ types: [] }), "query.types"],
  [(store) => store.count([{}, { tags: [] }]), "query[1].tags"],
  [(store) => store.count({}, { by: "month" }), "options.by"],
  [(store) => store.count({}, { onProgress: 1 }), "options.onProgress"],
  // Marks.
  [(store) => store.truncate("s"), "options.before"],
  [(store) => store.truncate("s", { before: -1 }), "options.before"],
  [(store) => store.delete("s", { expected: 0.1 }), "options.expected"],
  [(store) => store.delete("s", { before: 1 }), "options.before"],
  // Opening.
  [() => EventStore.open(), "name"],
  [() => EventStore.open(""), "name"],
  [() => EventStore.open(LONE), "name"],
  [() => EventStore.open(LONG, { storage: "memory" }), "name", "LIMIT_EXCEEDED"],
  [() => EventStore.open("a", { storage: "disk" }), "options.storage"],
  [() => EventStore.open("a", { durability: "memory" }), "options.durability"],
  [() => EventStore.open("a", { worker: true }), "options.worker"],
  [() => EventStore.open("a", { workers: false }), "options.workers"],
  [() => EventStore.open("a", { events: ["A"] }), "options.events[\"0\"]"],
  [() => EventStore.open("a", { events: { A: { tags: [] } } }), "options.events.A"],
  [() => EventStore.open("a", { onProgress: {} }), "options.onProgress"],
  [() => EventStore.exists(""), "name"],
  [() => EventStore.destroy(1), "name"],
  [async () => defineEvents({ A: {} }), "types.A"],
  [async () => defineEvents({ $a: eventType() }), "types.$a"],
  [async () => defineEvents({ "": eventType() }), 'types[""]'],
  [async () => defineEvents(undefined), "types"],
  [async () => eventType({ tag: 1 }), "options.tag"],
  [async () => eventType({ tags: [] }), "options.tags"],
];
for (const [act, path, code = "INVALID_ARGUMENT"] of BAD) {
  test(`${code} at ${path}: ${String(act).slice(0, 100)}`, () =>
    withStore(async (store) => {
      const error = await refused(() => act(store), code, { path, retryable: false });
      assert.ok(error.message.startsWith(`${path}: `), error.message);
      assert.equal(store.position, 0);
      assert.equal((await store.append("after", EVENT)).lastPosition, 1);
    }));
}

test("what is wrong with one append does not reach those that share its crossing", () =>
  withStore(async (store) => {
    const outcomes = await Promise.allSettled([
      store.append("a", { type: "A", data: "first 😀" }),
      store.append(LONG, { type: "A", data: "refused 😀", id: "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e" }),
      store.append("a", { type: "B", data: "last", id: "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5f" }),
    ]);
    assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    const events = await store.readAll().toArray();
    assert.deepEqual(events.map(({ data }) => data), ["first 😀", "last"]);
    assert.equal(events[1].id, "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5f");
  }));

test("a store whose opening was refused can be opened", async () => {
  const name = newName();
  await refused(() => EventStore.open(name), "STORAGE_UNAVAILABLE");
  const store = await EventStore.open(name, { storage: "auto" });
  assert.equal(store.storage, "memory");
  await store.close();
});

const UUID = "0190a5c4-7b1e-7cc3-9d2f-3f6a1c2b4d5e";
const HYPHENS = [8, 13, 18, 23];
// Neighbours of digits and letters, characters that differ from a digit above their lowest eight bits, and halves of a pair.
const NO_DIGITS = ["/", ":", "@", "G", "`", "g", "-", " ", "\0", "\x80", "\xff", "\u0130", "\u0161", "\uff11", "\ud800", "\udc31"];
const NO_HYPHENS = ["0", "f", ",", ".", " ", "\0", "\u012d", "\u2010", "\uff0d", "\ud800"];
const withCharacter = (place, character) => UUID.slice(0, place) + character + UUID.slice(place + 1);

test("an id may have any digit, in either case, in any place, and reads as its lower case", () =>
  withStore(async (store) => {
    const places = Array.from(UUID, (_, place) => place).filter((place) => !HYPHENS.includes(place));
    const ids = places.flatMap((place) => Array.from("0123456789abcdefABCDEF", (digit) => withCharacter(place, digit)));
    for (const [index, id] of ids.entries()) await store.append(`s-${index}`, { ...EVENT, id });
    const read = await store.readAll().toArray();
    assert.deepEqual(read.map(({ id }) => id), ids.map((id) => id.toLowerCase()));
  }));

test("an id with any other character, in any place, is refused, and so is one of another length", () =>
  withStore(async (store) => {
    const wrong = [UUID.slice(1), `${UUID}0`, `{${UUID}}`, "", UUID.replaceAll("-", "")];
    for (let place = 0; place < UUID.length; place += 1) {
      const characters = HYPHENS.includes(place) ? NO_HYPHENS : NO_DIGITS;
      wrong.push(...characters.map((character) => withCharacter(place, character)));
    }
    for (const id of wrong) await refused(() => store.append("s", { ...EVENT, id }), "INVALID_ARGUMENT", { path: "events[0].id" });
    assert.equal(await store.count({}), 0);
  }));
