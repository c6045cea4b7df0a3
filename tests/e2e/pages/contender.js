// One of several writers that append to the same streams at the same time, each with exact expectations.
// It records every attempt: what was expected, and what came of it.

import { EventStore, isEverfoldError } from "/dist/index.js";

/**
 * Waits for the word "go" on the channel, then appends.
 *
 * @param {{ database: string, channel: string, writer: string, appends: number, streams: number, seed: number }} task
 * @returns {Promise<{ writer: string, elapsed_ms: number, slowest_ms: number, attempts: object[] }>}
 */
export async function contend({ database, channel, writer, appends, streams, seed }) {
  const store = await EventStore.open(database);
  await word(channel, "go", writer);
  const random = numbers(seed);
  const revisions = new Map();
  const attempts = [];
  let slowest_ms = 0;
  const begun = performance.now();
  for (let number = 0; number < appends; number += 1) {
    const stream = `account-${Math.floor(random() * streams)}`;
    const asked = performance.now();
    await appendOnce(store, { stream, writer, number, revisions, attempts });
    slowest_ms = Math.max(slowest_ms, performance.now() - asked);
  }
  const elapsed_ms = performance.now() - begun;
  await store.close();
  return { writer, elapsed_ms, slowest_ms, attempts };
}

/** Tries until the event is in, each time after the revision that the last refusal told. */
async function appendOnce(store, { stream, writer, number, revisions, attempts }) {
  while (true) {
    const expected = revisions.get(stream) ?? "noStream";
    try {
      const { firstRevision, firstPosition } = await store.append(stream, { type: "Added", data: { writer, number } }, { expected });
      attempts.push({ stream, number, expected, revision: firstRevision, position: firstPosition });
      revisions.set(stream, firstRevision);
      return;
    } catch (error) {
      if (!isEverfoldError(error, "WRONG_EXPECTED_REVISION")) throw error;
      const [violation] = error.violations;
      attempts.push({ stream, number, expected, actual: violation.actual, violations: error.violations });
      revisions.set(stream, violation.actual);
    }
  }
}

/** Says that this writer is ready, and resolves when the word is given. */
export function word(name, wanted, writer) {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(name);
    channel.addEventListener("message", ({ data }) => {
      if (data !== wanted) return;
      channel.close();
      resolve();
    });
    channel.postMessage({ ready: writer });
  });
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function numbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
