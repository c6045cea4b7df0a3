// Streams at every moment of random logs in which much is deleted, truncated and written again, beside a model that is a list.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineAggregate } from "../../dist/index.js";
import { SEED, seeded } from "./bank.mjs";
import { withStore } from "./check.mjs";

const definition = { initial: () => ({ seen: [] }), name: "seen" };
/** What is seen of a stream, as folded by a function and by the core. */
const AGGREGATES = {
  "a function": defineAggregate({ ...definition, evolve: (state, { data }) => ({ seen: [...state.seen, data.number] }) }),
  "a document": defineAggregate({ ...definition, evolve: { "*": { $push: { seen: "$data.number" } } } }),
};
const STREAMS = ["s-1", "s-2", "s-3"];
const FACTS = { query: { types: ["$deleted", "$tombstoned", "$truncated"] } };

/** Fills a store. Gives what happened, by position: `{ stream, number, revision, time }` of an event, `{ stream, hides }` of a fact. */
async function happen(store, random) {
  const pick = (count) => Math.floor(random() * count);
  const log = [];
  const now = Date.now();
  for (let number = 0; number < 30; number += 1) {
    const stream = STREAMS[pick(STREAMS.length)];
    const { length } = log.filter((entry) => entry.stream === stream && entry.hides === undefined);
    const act = random();
    if (act < 0.6) {
      const time = now + pick(400) - 200;
      const events = Array.from({ length: 1 + pick(3) }, (_, index) => ({ number: 10 * number + index, revision: length + index, stream, time }));
      await store.append(stream, events.map((event) => ({ type: "Seen", data: { number: event.number }, time })));
      log.push(...events);
      continue;
    }
    const before = act < 0.8 ? Math.min(pick(length + 3), length) : Infinity;
    const { position } = before === Infinity ? await store.delete(stream) : await store.truncate(stream, { before });
    if (position !== undefined) log.push({ stream, hides: before });
  }
  for (const { position, time } of await store.readAll(FACTS).toArray()) log[position - 1].time = time;
  assert.equal(store.position, log.length);
  return log;
}

/** What a plain loop over what happened comes to. */
function modelOf(log, stream, position) {
  const own = log.slice(0, position).filter((entry) => entry.stream === stream);
  const events = seenOf(own);
  // Of what is truncated the last revision is still known, and of what is deleted not.
  const revision = own.at(-1)?.hides === Infinity ? undefined : own.findLast(({ hides }) => hides === undefined)?.revision;
  const state = { seen: events.map(({ number }) => number) };
  return { state, exists: revision !== undefined, revision, position: Math.min(position, log.length), expected: revision ?? "noStream" };
}

/** The events that are seen at the end of a log. */
function seenOf(log) {
  const isHidden = ({ stream, revision }, later) => later.some((fact) => fact.stream === stream && revision < fact.hides);
  return log.filter((entry, index) => entry.hides === undefined && !isHidden(entry, log.slice(index + 1)));
}

/** The last position as of which nothing that is seen, and nothing that hides, is later than a time. */
function lastBefore(log, time) {
  for (let position = log.length; ; position -= 1) {
    const prefix = log.slice(0, position);
    if ([...seenOf(prefix), ...prefix.filter(({ hides }) => hides !== undefined)].every((entry) => entry.time <= time)) return position;
  }
}

for (const [what, aggregate] of Object.entries(AGGREGATES)) {
  test(`${what} folds a stream at any moment as a list does, whatever was hidden then (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    for (let round = 0; round < 6; round += 1) {
      await withStore(async (store) => {
        const log = await happen(store, random);
        for (const stream of STREAMS) {
          for (let position = 0; position <= log.length + 1; position += 1) {
            assert.deepEqual(await store.load(aggregate, stream, { position }), modelOf(log, stream, position), `${stream} at ${position} of ${JSON.stringify(log)}`);
          }
          for (const [index, event] of log.entries()) {
            if (event.stream !== stream || event.hides !== undefined) continue;
            const { revision } = event;
            assert.deepEqual(await store.load(aggregate, stream, { revision }), modelOf(log, stream, index + 1), `${stream} at the revision ${revision} of ${JSON.stringify(log)}`);
          }
          for (const { time } of log) {
            assert.deepEqual(await store.load(aggregate, stream, { time }), modelOf(log, stream, lastBefore(log, time)), `${stream} at the time ${time} of ${JSON.stringify(log)}`);
          }
          const newest = modelOf(log, stream, log.length);
          assert.deepEqual(await store.load(aggregate, stream), newest);
          assert.deepEqual((await store.history(aggregate, stream).toArray()).map(({ state }) => state.seen.length), newest.state.seen.map((_, index) => index + 1));
        }
      });
    }
  });
}
