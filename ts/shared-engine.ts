import { AppendMessageWriter } from "./append-message.js";
import { AppendQueue } from "./append-queue.js";
import type { Engine, OpenProgress, StorageKind } from "./engine.js";
import { EXPECTED } from "./engine.js";
import { EverfoldError, invalidArgument, isEverfoldError, reviveError } from "./errors.js";
import type { HostWorld } from "./host.js";
import { databaseExists, destroyDatabase, mayHaveDatabase, openPageEngine } from "./page-engine.js";
import { StatusWatch } from "./status.js";
import { WordOfTabs, sayToTabs } from "./word.js";

/**
 * Where a store is asked to keep its records: `"auto"` is IndexedDB, or memory where there is none, or where the browser refuses it and
 * knows of no database of this name.
 */
export type StorageOption = StorageKind | "auto";

/** The engine of one name, and what all handles to it share. */
export class SharedEngine {
  /** Whether it was closed under its handles, because its database was destroyed. */
  closed = false;
  readonly engine: Engine;
  readonly queue: AppendQueue;
  readonly status: StatusWatch;
  readonly #word: WordOfTabs | undefined;
  #handleCount = 0;
  readonly #name: string;

  constructor(name: string, engine: Engine, word: WordOfTabs | undefined) {
    this.#name = name;
    this.engine = engine;
    // Only databases are of several tabs.
    if (engine.storage === "indexeddb") this.#word = word;
    else word?.close();
    const tell = this.#word && (() => this.#word?.say("look"));
    this.status = new StatusWatch({ ask: () => appendNothing(engine), tell });
    engine.onFailure = (error) => this.status.failed(error);
    this.#word?.listen((said) => this.status.heard(said));
    this.queue = new AppendQueue(engine, this.status);
  }

  /** Adds a handle. */
  acquire(): void {
    this.#handleCount += 1;
  }

  /** Takes a handle away; the last one closes the engine. */
  async release(): Promise<void> {
    this.#handleCount -= 1;
    if (this.#handleCount === 0) await this.close();
  }

  /** Closes the engine after the appends under way, whoever still has a handle. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (opened.get(this.#name)?.shared === this) opened.delete(this.#name);
    this.status.end("closed");
    this.#word?.close();
    this.queue.flush();
    await this.engine.close();
  }
}

/** Appends no events: that is judged as any append, and tells what would become of one. */
async function appendNothing(engine: Engine): Promise<void> {
  const writer = new AppendMessageWriter();
  writer.append({ durability: 0, condition: undefined, writes: [{ stream: "status", expected: EXPECTED.any, events: [] }] });
  // No append of the queue has this ticket.
  const { errors } = await engine.append(writer.finish(0));
  if (errors[0] !== undefined) throw reviveError(errors[0]);
}

/** An engine that is open or being opened. */
interface Opened {
  readonly opening: Promise<SharedEngine>;
  /** Once it is open. */
  shared?: SharedEngine;
}

const opened = new Map<string, Opened>();

/** How often a database is opened that is destroyed meanwhile. */
const OPEN_ATTEMPTS = 5;

/** How an engine is opened, where it is not open yet. */
export interface EngineOptions {
  readonly storage: StorageOption;
  readonly durability: "relaxed" | "strict";
  readonly onProgress: OpenProgress | undefined;
  /** Where a test decides what happens. */
  readonly world: HostWorld | undefined;
}

/** The engine of this name: the one that is open in this tab, or else a new one. The caller has a handle. */
export async function acquireEngine(name: string, options: EngineOptions): Promise<SharedEngine> {
  const known = opened.get(name);
  const shared = await (known ?? begin(name, options)).opening;
  // Another tab may have destroyed its database, with handles here still open: this one is to get a new one.
  if (known !== undefined && (await isDestroyed(name, shared))) await shared.close();
  // It may also have been closed by another handle while this one waited.
  if (shared.closed) return acquireEngine(name, options);
  const { storage } = options;
  const kind = shared.engine.storage;
  if (storage !== "auto" && storage !== kind) {
    throw invalidArgument("options.storage", `is "${storage}", but "${name}" is open in this tab with "${kind}"`);
  }
  shared.acquire();
  return shared;
}

/** Whether nothing can be asked of an engine any more. A failure of another kind is for the caller to meet. */
async function isDestroyed(name: string, shared: SharedEngine): Promise<boolean> {
  try {
    await shared.engine.streamInfo(name);
    return false;
  } catch (error) {
    return isEverfoldError(error, "CLOSED");
  }
}

function begin(name: string, options: EngineOptions): Opened {
  // At once, because the core, where it is loaded, makes a channel of its own in this task: two that are made apart take twice as long.
  const word = options.storage === "memory" ? undefined : WordOfTabs.of(name);
  const entry: Opened = {
    opening: openEngine(name, options).then(
      (engine) => {
        entry.shared = new SharedEngine(name, engine, word);
        return entry.shared;
      },
      (error: unknown) => {
        word?.close();
        if (opened.get(name) === entry) opened.delete(name);
        throw error;
      },
    ),
  };
  opened.set(name, entry);
  return entry;
}

/** Opens, and anew where another tab destroys the database meanwhile: that is no end of the store that comes after it. */
async function openEngine(name: string, options: EngineOptions): Promise<Engine> {
  for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt += 1) {
    try {
      return await openOnce(name, options);
    } catch (error) {
      if (!isEverfoldError(error, "CLOSED")) throw error;
    }
  }
  const cause = "it was destroyed each time that it was opened";
  throw new EverfoldError(`the storage could not be opened: ${cause}`, { code: "STORAGE_UNAVAILABLE", retryable: true, cause });
}

async function openOnce(name: string, options: EngineOptions): Promise<Engine> {
  const { storage, durability, onProgress, world } = options;
  const open = (kind: StorageKind) => openPageEngine({ name: world?.memory ?? name, storage: kind, durability }, onProgress, world?.ask);
  if (storage !== "auto") return open(storage);
  try {
    return await open("indexeddb");
  } catch (error) {
    // A database of another program under this name is no lack of IndexedDB: memory would only hide it.
    const isLack = isEverfoldError(error, "STORAGE_UNAVAILABLE") && (error.retryable || !globalThis.indexedDB);
    // Memory would hide a database that does not open for now.
    if (!isLack || (await mayHaveDatabase(name))) throw error;
    return open("memory");
  }
}

/** Whether a store of this name is open here in memory, or kept in IndexedDB. */
export async function storeExists(name: string): Promise<boolean> {
  return opened.get(name)?.shared?.engine.storage === "memory" || databaseExists(name);
}

/** Closes the store of this name in this tab, and deletes what it keeps. */
export async function destroyStore(name: string): Promise<void> {
  const shared = await opened.get(name)?.opening.catch(() => undefined);
  await shared?.close();
  if (shared?.engine.storage === "memory") return;
  // Before it is gone: who finds that it is will know why.
  sayToTabs(name, "destroyed");
  try {
    await destroyDatabase(name);
  } finally {
    sayToTabs(name, "look");
  }
}
