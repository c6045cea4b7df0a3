// What a browser may lack, and what may happen to a database behind our back. Every function that changes the
// browser returns one that puts it back.

const connections = new Set();
const open = IDBFactory.prototype.open;
IDBFactory.prototype.open = function (...args) {
  const request = open.apply(this, args);
  request.addEventListener("success", () => connections.add(request.result));
  return request;
};

let errors = 0;
globalThis.addEventListener("error", () => (errors += 1));

/** How many errors no script has caught. */
export const uncaughtErrors = () => errors;

/** How many requests for a lock are waiting. */
export async function waitingForLock(name) {
  return (await navigator.locks.query()).pending.filter((request) => request.name === name).length;
}

let durability = null;
let refusals = 0;
const transaction = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...args) {
  refusals += 1;
  const begun = transaction.apply(this, args);
  refusals -= 1;
  if (begun.mode === "readwrite") durability = begun.durability;
  return begun;
};

/** How many transactions were asked of connections that could not begin any. */
export const refusedTransactions = () => refusals;

/** The durability that the last writing transaction was begun with. */
export const lastDurability = () => durability;

let lastPut;
let isTold = false;
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...args) {
  return (lastPut = put.apply(this, args));
};
const commit = IDBTransaction.prototype.commit;
IDBTransaction.prototype.commit = function (...args) {
  isTold = lastPut?.readyState === "pending";
  return commit.apply(this, args);
};

/** Whether the last transaction that was told to commit had a write under way. */
export const wasToldWhileWriting = () => isTold;

/** Whether the browser says how much room an origin has. WebKitGTK does not, as Debian has it. */
export const hasEstimate = () => typeof navigator.storage?.estimate === "function";

/** Whether the browser names Chromium as what it is made of. */
export const isChromium = () => navigator.userAgentData?.brands.some(({ brand }) => brand === "Chromium") ?? false;

function replace(owner, name, descriptor) {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  if (descriptor === null) delete owner[name];
  else Object.defineProperty(owner, name, { configurable: true, ...descriptor });
  return () => {
    if (before === undefined) delete owner[name];
    else Object.defineProperty(owner, name, before);
  };
}

/** Replaces a method for one call. */
function once(owner, name, replacement) {
  const original = owner[name];
  const restore = replace(owner, name, {
    writable: true,
    value(...args) {
      restore();
      return replacement.call(this, original, args);
    },
  });
  return restore;
}

function throwing(name) {
  const value = () => {
    throw new DOMException("as the test wants it", name);
  };
  return replace(IDBObjectStore.prototype, "add", { writable: true, value });
}

const kinds = {
  "no getAllRecords": () => replace(IDBObjectStore.prototype, "getAllRecords", null),
  "many values at once fail": () => {
    const fail = () => {
      throw new DOMException("as the test wants it", "UnknownError");
    };
    const names = ["getAll", "getAllKeys", "getAllRecords"].filter((name) => name in IDBObjectStore.prototype);
    const ends = names.map((name) => replace(IDBObjectStore.prototype, name, { writable: true, value: fail }));
    return () => ends.forEach((end) => end());
  },
  "no commit": () => replace(IDBTransaction.prototype, "commit", null),
  "no locks": () => replace(navigator, "locks", { value: undefined }),
  "no storage manager": () => replace(navigator, "storage", { value: undefined }),
  "a storage manager that does not answer": () => {
    const never = () => new Promise(() => {});
    return replace(navigator, "storage", { value: { estimate: never, persisted: never } });
  },
  "no scheduler": () => replace(globalThis, "scheduler", { value: undefined }),
  "no IndexedDB": () => replace(globalThis, "indexedDB", { value: undefined }),
  "IndexedDB is forbidden": () =>
    replace(globalThis, "indexedDB", {
      get() {
        throw new DOMException("as the test wants it", "SecurityError");
      },
    }),
  "short time-outs": () => {
    const original = globalThis.setTimeout;
    return replace(globalThis, "setTimeout", {
      value: (callback, delay, ...args) => original(callback, delay / 50, ...args),
    });
  },
  "the next reading is aborted": () =>
    once(IDBObjectStore.prototype, "get", function (original, args) {
      const request = original.apply(this, args);
      this.transaction.abort();
      return request;
    }),
  "the next cursor fails": () =>
    once(IDBObjectStore.prototype, "openKeyCursor", function (original, args) {
      const request = original.apply(this, args);
      // So it looks to whoever goes on after the failure of a request.
      Object.defineProperty(request, "result", { value: undefined });
      Object.defineProperty(request, "error", { value: new DOMException("as the test wants it", "UnknownError") });
      return request;
    }),
  "the next deletion is aborted": () =>
    once(IDBObjectStore.prototype, "delete", function (original, args) {
      const request = original.apply(this, args);
      this.transaction.abort();
      return request;
    }),
  "the next put finds no room": () =>
    once(IDBObjectStore.prototype, "put", () => {
      throw new DOMException("as the test wants it", "QuotaExceededError");
    }),
  "the next commit is aborted": () =>
    once(IDBTransaction.prototype, "commit", function () {
      this.abort();
    }),
  "the next commit is answered by nothing": () =>
    once(IDBTransaction.prototype, "commit", function (original, args) {
      this.oncomplete = null;
      return original.apply(this, args);
    }),
  "the next opening fails": () =>
    once(IDBFactory.prototype, "open", function (original, args) {
      const request = original.apply(this, args);
      request.addEventListener("upgradeneeded", () => request.transaction.abort());
      return request;
    }),
};

/** Begins what is named by `kind`, or makes the next `add` throw an exception of the name after "throw ". */
export function begin(kind) {
  return kind.startsWith("throw ") ? throwing(kind.slice(6)) : kinds[kind]();
}

const named = (name) => [...connections].filter((connection) => connection.name === name);

/** Closes every connection to a database, as its own code would. */
export function closeConnections(name) {
  for (const connection of named(name)) {
    connection.close();
    connections.delete(connection);
  }
}

/** Closes every connection to a database as a browser does that loses it: with an event. */
export function loseConnections(name) {
  for (const connection of named(name)) {
    connection.close();
    connections.delete(connection);
    connection.dispatchEvent(new Event("close"));
  }
}

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const strangers = new Set();

/** Another program's database. Its connection hears of nothing and stays open until `releaseDatabase`. */
export async function createDatabase(name, version, stores) {
  const request = indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    for (const store of stores) request.result.createObjectStore(store);
  };
  strangers.add(await settled(request));
}

/** Closes the connections of other programs to a database, and no others. */
export function releaseDatabase(name) {
  for (const connection of strangers) if (connection.name === name) connection.close();
}

/** Version and object stores of a database. */
export async function describeDatabase(name) {
  const connection = await settled(indexedDB.open(name));
  const description = `${connection.version}: ${[...connection.objectStoreNames].join(" ")}`;
  connection.close();
  connections.delete(connection);
  return description;
}

/** Deletes a database; resolves once that has happened. */
export async function deleteDatabase(name) {
  await settled(indexedDB.deleteDatabase(name));
}

/** Whether this browser keeps some writes of a transaction that was told to commit before another one failed. */
export async function keepsTheRest(name) {
  const request = indexedDB.open(name);
  request.onupgradeneeded = () => request.result.createObjectStore("log").add(0, "taken");
  const connection = await settled(request);
  const writing = connection.transaction(["log"], "readwrite");
  const log = writing.objectStore("log");
  log.put(1, "before");
  log.add(2, "taken");
  log.put(3, "after");
  writing.commit();
  await new Promise((resolve) => (writing.oncomplete = writing.onabort = resolve));
  const count = await settled(connection.transaction(["log"]).objectStore("log").count());
  connection.close();
  connections.delete(connection);
  return count !== 1;
}

/** Writes a record as another program would. */
export async function putRecord(name, store, key, value) {
  const connection = await settled(indexedDB.open(name));
  const writing = connection.transaction([store], "readwrite");
  writing.objectStore(store).put(value, key);
  await new Promise((resolve, reject) => {
    writing.oncomplete = resolve;
    writing.onabort = () => reject(writing.error);
  });
  connection.close();
  connections.delete(connection);
}

/** Keeps a transaction open, as a frozen tab does, until the returned function is called. */
export async function holdTransaction(name) {
  const connection = await settled(indexedDB.open(name));
  const store = connection.transaction(["meta", "log"], "readwrite").objectStore("meta");
  let isHeld = true;
  const hold = () => {
    if (isHeld) store.get("").onsuccess = hold;
  };
  hold();
  return () => {
    isHeld = false;
    connection.close();
    connections.delete(connection);
  };
}

/** Posts anything to a channel. */
export function post(name, message) {
  const channel = new BroadcastChannel(name);
  channel.postMessage(message);
  channel.close();
}

/** What is posted to a channel from now on, in an array that grows. */
export function overheard(name) {
  const messages = [];
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => messages.push(data);
  return messages;
}
