// The examples in the documents of what users call: each is run as it stands, on a bank that has what they name.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { transform } from "esbuild";
import { EventStore, defineAggregate, defineEvents, defineProjection, documentType, eventType, isEverfoldError } from "../../dist/index.js";
import { given, openTestStore, openTestTabs, testClock, testIds } from "../../dist/testing.js";
import { Account, bank, deposited, opened, withdrawn } from "./bank.mjs";
import { PROJECT } from "./programs.mjs";

const FILES = ["store", "store-reads", "store-folds", "store-observing", "live", "aggregate", "projection", "errors", "given", "test-store", "test-tabs", "test-host"];
const Seats = defineAggregate({ name: "seats", initial: () => 0, evolve: (count) => count + 1 });
const AsyncFunction = (async () => {}).constructor;
let count = 0;

/** In memory and of its own, whatever an example says. */
function withOwnStores() {
  const opening = [];
  const inMemory = {
    open: async (_name, options) => {
      const store = await EventStore.open(`doc-example-${(count += 1)}`, { ...options, storage: "memory" });
      opening.push(store);
      return store;
    },
    exists: () => EventStore.exists("doc-example"),
    destroy: () => EventStore.destroy("doc-example"),
  };
  return { inMemory, opening };
}

async function run(example) {
  const { inMemory, opening } = withOwnStores();
  const events = defineEvents({ ...bank, AccountOpened: eventType(), MoneyDeposited: eventType() });
  const store = await inMemory.open("bank", { events });
  await store.append("account-1", [opened(), deposited(50), deposited(1), deposited(2), deposited(3)]);
  await store.append("account-2", opened());
  const [{ id }] = await store.read("account-1").toArray();
  const names = { EventStore: inMemory, bank, Account, Seats, opened: opened(), event: deposited(1), deposited: deposited(1), withdrawn: withdrawn(1), id, commandId: "command" };
  const tools = { defineAggregate, defineEvents, defineProjection, documentType, eventType, isEverfoldError, given, openTestStore, openTestTabs, testClock, testIds, console: { log() {} } };
  // An example that opens a store calls it as all others do.
  const own = /\bconst store\b/.test(example) ? {} : { store };
  const scope = Object.fromEntries(Object.entries({ ...names, ...tools, ...own }).filter(([name]) => !new RegExp(`const (\\w+, )*\\b${name}\\b`).test(example)));
  const { code } = await transform(`async () => {\n${example}\n}`, { loader: "ts", target: "es2022" });
  await new AsyncFunction(...Object.keys(scope), `await (${code.trim().replace(/;$/, "")})()`)(...Object.values(scope));
  for (const each of opening) await each.close();
}

const SOURCES = await Promise.all(FILES.map(async (file) => [file, await readFile(join(PROJECT, `ts/${file}.ts`), "utf8")]));
const EXAMPLES = SOURCES.flatMap(([file, source]) =>
  [...source.matchAll(/@example\n((?:\s*\* .*\n)+)\s*\*\/\n\s*(.*)/g)].map(([, lines, signature]) => ({ of: `${file}: ${signature.trim()}`, example: lines.replace(/^\s*\* /gm, "") })),
);

test("there are examples", () => assert.ok(25 <= EXAMPLES.length, `${EXAMPLES.length}`));

for (const { of, example } of EXAMPLES) test(`the example runs of ${of}`, { timeout: 20_000 }, () => run(example));
