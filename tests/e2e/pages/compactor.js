// Compacts a store and reads it, again and again, while others write to it.

import { EventStore } from "/dist/index.js";

/**
 * Goes on until the work that it accompanies is done, and at least once. Each read must give positions and
 * revisions without gaps, and no fewer events than the one before.
 *
 * @param {{ database: string, work: Promise<unknown> }} task
 * @returns {Promise<{ compactions: number, reads: number }>}
 */
export async function compactMeanwhile({ database, work }) {
  const store = await EventStore.open(database);
  let isDone = false;
  const end = () => (isDone = true);
  work.then(end, end);
  let compactions = 0;
  let reads = 0;
  const compact = async () => {
    do {
      await store.compact();
      compactions += 1;
    } while (!isDone);
  };
  const read = async () => {
    let count = 0;
    do {
      count = await readOnce(store, count);
      reads += 1;
    } while (!isDone);
  };
  await Promise.all([compact(), read()]);
  await store.close();
  return { compactions, reads };
}

/** Reads the log, and gives how many events it has. */
async function readOnce(store, countBefore) {
  const revisions = new Map();
  let count = 0;
  for await (const { stream, revision, position } of store.readAll()) {
    count += 1;
    if (position !== count) throw new Error(`position ${position} is the ${count}th`);
    const expected = (revisions.get(stream) ?? -1) + 1;
    if (revision !== expected) throw new Error(`${stream} has revision ${revision} in place of ${expected}`);
    revisions.set(stream, revision);
  }
  if (count < countBefore) throw new Error(`${count} events were read, and ${countBefore} before`);
  for (const [stream, last] of revisions) {
    let next = 0;
    for await (const { revision } of store.read(stream)) {
      if (revision !== next) throw new Error(`${stream} has revision ${revision} in place of ${next}`);
      next += 1;
    }
    if (next <= last) throw new Error(`${stream} ends before revision ${next}, and the log has ${last}`);
  }
  return count;
}
