// What a database takes: the bytes of the keys and values of all of its object stores. What the browser adds, its indexes among it,
// is not in it: no page can see that.

import { settled } from "./raw-database.js";

const PAGE_RECORDS = 1_000;
const NUMBER_BYTES = 8;

const encoder = new TextEncoder();

/** Counts the records of a database and their bytes. */
export async function storedBytes(databaseName) {
  const database = await settled(indexedDB.open(databaseName));
  let [records, bytes] = [0, 0];
  for (const store of database.objectStoreNames) {
    for await (const { keys, values } of recordPages(database, store)) {
      records += keys.length;
      bytes += sum(keys) + sum(values);
    }
  }
  database.close();
  return { records, bytes };
}

/** Lengths in bytes of the values in an object store of any database. */
export async function valueLengths(databaseName, store) {
  const database = await settled(indexedDB.open(databaseName));
  const lengths = [];
  for await (const { values } of recordPages(database, store)) lengths.push(...values.map(bytesOf));
  database.close();
  return lengths;
}

async function* recordPages(database, name) {
  let range;
  for (;;) {
    const store = database.transaction([name], "readonly").objectStore(name);
    const [keys, values] = await Promise.all([
      settled(store.getAllKeys(range, PAGE_RECORDS)),
      settled(store.getAll(range, PAGE_RECORDS)),
    ]);
    yield { keys, values };
    if (keys.length < PAGE_RECORDS) return;
    range = IDBKeyRange.lowerBound(keys.at(-1), true);
  }
}

/** Binary as it is, text in UTF-8, a number as a double, anything else as JSON. */
function bytesOf(value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value === "string") return encoder.encode(value).length;
  if (typeof value === "number") return NUMBER_BYTES;
  if (Array.isArray(value) || isHolderOfBytes(value)) return sum(Object.values(value));
  return encoder.encode(JSON.stringify(value) ?? "").length;
}

function isHolderOfBytes(value) {
  return typeof value === "object" && value !== null && Object.values(value).some((each) => ArrayBuffer.isView(each));
}

function sum(values) {
  return values.reduce((bytes, value) => bytes + bytesOf(value), 0);
}
