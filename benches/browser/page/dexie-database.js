// The peer that many applications use: Dexie, with an index for each guarantee that the store gives.

/** The library, once it is loaded. */
let dexie;

/** The library. It is loaded when it is first needed, so that no other contestant's page carries it. */
export async function loadDexie() {
  dexie ??= await import("/dexie/dexie.mjs");
  return dexie;
}

/** Positions that count up, ids that are unique, and one event a revision of a stream. */
const SCHEMA = { events: "++position, &id, &[stream+revision]" };

/** A database with a table of events. */
export class DexieDatabase {
  #database;

  constructor(database) {
    this.#database = database;
  }

  /** Opens the database of this name, and makes it where it is missing. */
  static async open(name) {
    const { Dexie } = dexie ?? (await loadDexie());
    const database = new Dexie(name, { chromeTransactionDurability: "relaxed" });
    database.version(1).stores(SCHEMA);
    await database.open();
    return new DexieDatabase(database);
  }

  /** Deletes the database of this name. */
  static async destroy(name) {
    const { Dexie } = await loadDexie();
    await Dexie.delete(name);
  }

  /** Adds events in one transaction. The keys are Dexie's own. */
  async putAll(_firstKey, events) {
    await this.#database.events.bulkAdd(events);
  }

  /** All events, in order. */
  all() {
    return this.#database.events.toArray();
  }

  /** The events of a stream, by its index. */
  async stream(name) {
    const { Dexie } = await loadDexie();
    return this.#database.events.where("[stream+revision]").between([name, Dexie.minKey], [name, Dexie.maxKey]).toArray();
  }

  close() {
    this.#database.close();
  }
}
