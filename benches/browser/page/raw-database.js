// The peer: IndexedDB as an application would use it by hand.

const STORES = ["meta", "log"];

/** A database with a log and a head. */
export class RawDatabase {
  #database;

  constructor(database) {
    this.#database = database;
  }

  /** Opens the database of this name, and makes it where it is missing. */
  static async open(name) {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
      request.transaction.objectStore("meta").put({ position: 0, layout: 0 }, "head");
    };
    return new RawDatabase(await settled(request));
  }

  /** Deletes the database of this name. */
  static async destroy(name) {
    await settled(indexedDB.deleteDatabase(name));
  }

  /** Appends one record as a log must: it goes where the head says, and the head goes on. */
  append(value) {
    return this.#write((log, meta, commit) => {
      meta.get("head").onsuccess = ({ target }) => {
        const { position, layout } = target.result;
        log.put(value, position + 1);
        meta.put({ position: position + 1, layout }, "head");
        commit();
      };
    });
  }

  /** Puts records under keys, all in one transaction; nothing is read. */
  putAll(firstKey, values) {
    return this.#write((log, _meta, commit) => {
      values.forEach((value, index) => log.put(value, firstKey + index));
      commit();
    });
  }

  /** Says how far the log reaches. */
  async setHead(position) {
    await this.#write((_log, meta, commit) => {
      meta.put({ position, layout: 0 }, "head");
      commit();
    });
  }

  /** How far the log reaches. */
  head() {
    return settled(this.#database.transaction(["meta"], "readonly").objectStore("meta").get("head"));
  }

  /** All records behind a key, in order. */
  all(after = 0) {
    const log = this.#database.transaction(["log"], "readonly").objectStore("log");
    return settled(log.getAll(IDBKeyRange.lowerBound(after, true)));
  }

  close() {
    this.#database.close();
  }

  #write(fill) {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORES, "readwrite", { durability: "relaxed" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      fill(transaction.objectStore("log"), transaction.objectStore("meta"), () => transaction.commit());
    });
  }
}

/** What a request gives, or its failure. */
export function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
