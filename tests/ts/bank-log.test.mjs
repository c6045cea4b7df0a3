// A log of 100,000 events of 1,000 accounts: what folds come to is what a plain loop comes to, with and without snapshots, with
// and without upcasters.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EventStore, defineAggregate, defineEvents, eventType } from "../../dist/index.js";
import { SEED, seeded } from "./bank.mjs";

const EVENTS = 100_000;
const ACCOUNTS = 1_000;
const MOMENTS = 50;

/** What was written by two releases of an app: the first one has amounts in whole units, under another name. */
const today = defineEvents({
  Opened: eventType(),
  Deposited: eventType({ version: 2, formerly: ["PaidIn"], upcast: { 1: ({ amount }) => ({ cents: amount * 100 }) } }),
  Withdrawn: eventType(),
});
const stored = defineEvents({ Opened: eventType(), PaidIn: eventType(), Deposited: eventType({ version: 2 }), Withdrawn: eventType() });

const initial = () => ({ owner: "", cents: 0, count: 0 });
const FUNCTIONS = {
  Opened: (state, { data }) => ({ ...state, owner: data.owner, count: state.count + 1 }),
  Deposited: (state, { data }) => ({ ...state, cents: state.cents + data.cents, count: state.count + 1 }),
  Withdrawn: (state, { data }) => ({ ...state, cents: state.cents - data.cents, count: state.count + 1 }),
};
/** Of who has no upcasters: they know the events as they are stored. */
const FUNCTIONS_AS_STORED = { ...FUNCTIONS, Deposited: (state, { data }) => ({ ...state, cents: state.cents + (data.cents ?? data.amount * 100), count: state.count + 1 }) };
FUNCTIONS_AS_STORED.PaidIn = FUNCTIONS_AS_STORED.Deposited;
const COUNT = { $inc: { count: 1 } };
const DOCUMENT = {
  Opened: [{ $set: { owner: "$data.owner" } }, COUNT],
  Deposited: { $inc: { cents: "$data.cents", count: 1 } },
  Withdrawn: { $inc: { cents: { $multiply: ["$data.cents", -1] }, count: 1 } },
};
const PAID_IN = { $inc: { cents: { $ifNull: ["$data.cents", { $multiply: [{ $ifNull: ["$data.amount", 0] }, 100] }] }, count: 1 } };
const DOCUMENT_AS_STORED = { ...DOCUMENT, Deposited: PAID_IN, PaidIn: PAID_IN };

let store;
/** The events in their order, as they were written: the oracle folds these. */
const log = [];

function naive(events) {
  const accounts = new Map();
  for (const { stream, type, data } of events) {
    const state = accounts.get(stream) ?? initial();
    accounts.set(stream, FUNCTIONS_AS_STORED[type](state, { data }));
  }
  return accounts;
}

before(async () => {
  const random = seeded(SEED);
  const below = (count) => Math.floor(random() * count);
  store = await EventStore.open("bank-log", { storage: "memory", events: stored });
  const writer = await EventStore.open("bank-log", { storage: "memory", events: today });
  const opened = new Set();
  const event = (number) => {
    const stream = `account-${below(ACCOUNTS)}`;
    if (!opened.has(stream)) {
      opened.add(stream);
      return { stream, type: "Opened", data: { owner: `owner ${number}` } };
    }
    if (below(3) === 0) return { stream, type: "Withdrawn", data: { cents: below(5_000) } };
    if (number < EVENTS / 2) return { stream, type: "PaidIn", data: { amount: below(100) } };
    return { stream, type: "Deposited", data: { cents: below(10_000) } };
  };
  for (let start = 0; start < EVENTS; start += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, index) => event(start + index));
    log.push(...events);
    const into = start < EVENTS / 2 ? store : writer;
    await into.appendAll(events.map(({ stream, type, data }) => ({ stream, events: [{ type, data }] })));
    if (start === 60_000) await store.compact();
  }
  await writer.close();
});

after(() => store?.close());

const WITH = [
  { what: "functions and upcasters", events: today, evolve: FUNCTIONS },
  { what: "functions, without upcasters", events: stored, evolve: FUNCTIONS_AS_STORED },
  { what: "a document and upcasters", events: today, evolve: DOCUMENT },
  { what: "a document, without upcasters", events: stored, evolve: DOCUMENT_AS_STORED },
];

/** Each in the way of who keeps snapshots and of who does not. */
const CASES = WITH.flatMap(({ what, ...parts }, index) => [
  { what: `${what}, with snapshots`, Account: defineAggregate({ name: `account-${index}`, category: "account", initial, snapshotEvery: 20, ...parts }) },
  { what: `${what}, without snapshots`, Account: defineAggregate({ name: `account-${index}-bare`, category: "account", initial, snapshotEvery: false, ...parts }) },
]);

for (const { what, Account } of CASES) {
  test(`all accounts, and each at 50 random moments, are what a plain loop comes to: by ${what} (EVERFOLD_SEED=${SEED})`, { timeout: 120_000 }, async () => {
    const expected = naive(log);
    assert.equal(expected.size, ACCOUNTS);
    const all = await store.loadAll(Account);
    assert.equal(all.size, ACCOUNTS);
    for (const [stream, state] of expected) assert.deepEqual(all.get(stream).state, state, stream);
    const random = seeded(SEED + 1);
    for (let round = 0; round < MOMENTS; round += 1) {
      const stream = `account-${Math.floor(random() * ACCOUNTS)}`;
      const position = 1 + Math.floor(random() * EVENTS);
      // The first round leaves snapshots, which the later ones begin with.
      if (round % 2 === 0) await store.load(Account, stream);
      const { state } = await store.load(Account, stream, { position });
      const own = log.slice(0, position).filter((event) => event.stream === stream);
      assert.deepEqual(state, naive(own).get(stream) ?? initial(), `${stream} at ${position}`);
      const now = await store.load(Account, stream);
      assert.deepEqual(now.state, expected.get(stream));
    }
  });
}

test("snapshots were kept by those who want them", async () => {
  const { snapshots } = await store.stats();
  // They are kept in the background, as far as there is time, and few of a set of streams at once.
  assert.ok(20 <= snapshots, `${snapshots} snapshots`);
});
