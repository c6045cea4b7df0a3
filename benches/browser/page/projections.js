// A projection with two indexes, beside Dexie with the same documents and indexes.

import { chunks } from "./bank.js";
import { loadDexie } from "./dexie-database.js";
import { destroyStore, loadPackage, openStore } from "./everfold-store.js";
import { HANDLERS, STEPS, naiveReceipts, receiptEvents } from "./receipts.js";
import { takeTurns } from "./rounds.js";

/** Events of one commit, and of one transaction of Dexie's. */
const BATCH_EVENTS = 1_000;
/** The events of one transaction in which Dexie folds. */
const PAGE_EVENTS = 4_096;
const ASKED = "receipts-asked";

async function defineReceipts(on = HANDLERS) {
  const { defineProjection } = await loadPackage();
  return defineProjection({ name: "receipts", on, indexes: { byStatusAndDay: ["status", "day"], byTag: { path: "tags", each: true } } });
}

/** Folds `count` events into documents, in each of `rounds`, each in a new database. What Dexie folds is in memory; the store reads its log. */
export async function projections({ seed, rounds, count }) {
  const events = receiptEvents(seed, count);
  const expected = naiveReceipts(events);
  const contestants = [everfold("everfold", HANDLERS, events, expected), everfold("declarative", STEPS, events, expected), dexie(events, expected)];
  return { count, documents: expected.size, results: await takeTurns(contestants, rounds) };
}

function everfold(name, on, events, expected) {
  const prepare = async (round) => {
    const store = await filled(`receipts-${name}-${round}`, events);
    const Receipts = await defineReceipts(on);
    const run = async () => {
      const receipts = await store.project(Receipts);
      await receipts.waitFor(store.position);
    };
    const check = async () => {
      await checkReceipts(name, expected, everfoldAsked(await store.project(Receipts)));
      await store.close();
      await destroyStore(store.name);
    };
    return { run, check };
  };
  return { name, prepare };
}

function dexie(events, expected) {
  const prepare = async (round) => {
    const database = await openDexie(`receipts-dexie-${round}`);
    const run = () => foldIntoDexie(database, events);
    const check = async () => {
      await checkReceipts("dexie", expected, await dexieAsked(database));
      await database.delete();
    };
    return { run, check };
  };
  return { name: "dexie", prepare };
}

async function filled(name, events) {
  const store = await openStore(name);
  for (const batch of chunks(events, BATCH_EVENTS)) await store.appendAll(batch.map(({ stream, type, data }) => ({ stream, events: { type, data } })));
  // Else it would compact of its own accord, in its own turn or in another's.
  await store.compact();
  return store;
}

async function openDexie(name) {
  const { Dexie } = await loadDexie();
  const database = new Dexie(name, { chromeTransactionDurability: "relaxed" });
  database.version(1).stores({ receipts: "key, [status+day], *tags", checkpoints: "name" });
  await database.open();
  return database;
}

/** As an application would: a page of events at a time, each document read and written once, with the checkpoint in one transaction. */
async function foldIntoDexie(database, events) {
  const { receipts, checkpoints } = database;
  let position = 0;
  for (const page of chunks(events, PAGE_EVENTS)) {
    position += page.length;
    await database.transaction("rw", receipts, checkpoints, async () => {
      const keys = [...new Set(page.map(({ stream }) => stream))];
      const documents = new Map((await receipts.bulkGet(keys)).map((found, place) => [keys[place], found]));
      for (const event of page) {
        const document = HANDLERS[event.type](documents.get(event.stream), event);
        documents.set(event.stream, { ...document, key: event.stream });
      }
      await receipts.bulkPut([...documents.values()]);
      await checkpoints.put({ name: "receipts", position });
    });
  }
}

/** What is asked of the documents of a store. */
function everfoldAsked(receipts) {
  return {
    get: (key) => receipts.get(key),
    find: async (status, day) => (await receipts.find({ index: "byStatusAndDay", equals: [status], from: day, limit: 20 })).rows.map(({ doc }) => doc),
    count: () => receipts.count(),
    tagged: (tag) => receipts.count({ index: "byTag", equals: [tag] }),
  };
}

async function dexieAsked(database) {
  const { Dexie } = await loadDexie();
  const { receipts } = database;
  return {
    get: (key) => receipts.get(key),
    find: (status, day) => receipts.where("[status+day]").between([status, day], [status, Dexie.maxKey]).limit(20).toArray(),
    count: () => receipts.count(),
    tagged: (tag) => receipts.where("tags").equals(tag).count(),
  };
}

/** Fails unless the documents are what a loop over the events comes to. */
async function checkReceipts(name, expected, { get, find, count, tagged }) {
  const fail = (what) => {
    throw new Error(`${name}: ${what} is not what the events come to`);
  };
  if ((await count()) !== expected.size) fail("the number of documents");
  for (const [place, [key, document]] of [...expected].entries()) {
    if (place % 97 !== 0) continue;
    const { key: _, ...found } = await get(key);
    if (textOf(found) !== textOf(document)) fail(key);
  }
  const all = [...expected.values()];
  for (const tag of ["cash", "abroad"]) if ((await tagged(tag)) !== all.filter(({ tags }) => tags.includes(tag)).length) fail(`what is tagged ${tag}`);
  const days = (await find("paid", "2025-06-01")).map(({ day }) => day);
  const wanted = all.filter(({ status, day }) => status === "paid" && "2025-06-01" <= day).map(({ day }) => day).sort().slice(0, 20);
  if (`${days}` !== `${wanted}`) fail("what was paid");
}

/** The same for the same properties, in whatever order they are. */
function textOf(document) {
  return JSON.stringify(Object.entries(document).sort());
}

/** Makes the documents that are asked for in pages just loaded. */
export async function prepareQueries({ seed, count }) {
  const events = receiptEvents(seed, count);
  const store = await filled(ASKED, events);
  const receipts = await store.project(await defineReceipts());
  await receipts.waitFor(store.position);
  // As a store does by itself when nothing is being appended.
  await store.compact();
  await store.close();
  const database = await openDexie(`${ASKED}-dexie`);
  await foldIntoDexie(database, events);
  database.close();
  return { keys: [...naiveReceipts(events).keys()].filter((_, place) => place % 331 === 0).slice(0, 100) };
}

/** In a page just loaded: opens, and finds; then gets and finds again and again. The code is there, as in a page whose code is one file. */
export async function coldQueries({ contestant, keys }) {
  await (contestant === "everfold" ? loadPackage() : loadDexie());
  const begun_ms = performance.now();
  const { asked, close } = contestant === "everfold" ? await openEverfold() : await openPeer();
  const rows = await asked.find("paid", "2025-06-01");
  const first_ms = performance.now() - begun_ms;
  if (rows.length !== 20) throw new Error(`${contestant}: found ${rows.length} documents, not 20`);
  const get_ms = await each(keys, (key) => asked.get(key));
  const days = keys.map((_, place) => new Date(Date.UTC(2025, 0, 1 + 3 * place)).toISOString().slice(0, 10));
  const find_ms = await each(days, (day) => asked.find("paid", day));
  await close();
  return { first_ms, get_ms, find_ms };
}

async function openEverfold() {
  const store = await openStore(ASKED);
  return { asked: everfoldAsked(await store.project(await defineReceipts())), close: () => store.close() };
}

async function openPeer() {
  const database = await openDexie(`${ASKED}-dexie`);
  return { asked: await dexieAsked(database), close: () => database.close() };
}

async function each(items, act) {
  const begun_ms = performance.now();
  for (const item of items) await act(item);
  return (performance.now() - begun_ms) / items.length;
}

export async function endQueries() {
  await destroyStore(ASKED);
  const { Dexie } = await loadDexie();
  await Dexie.delete(`${ASKED}-dexie`);
}
