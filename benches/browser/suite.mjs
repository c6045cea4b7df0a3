// What is measured, in which order and how often.

/** The plan of a run whose numbers are kept. The seed makes the events; any other is as good. */
export const FULL = {
  seed: 20_261_121,
  singles: { rounds: 10, count: 300, slice: 30 },
  unawaited: { rounds: 5, count: 10_000 },
  batches: { rounds: 5, batchCount: 10, batchEvents: 1_000 },
  coldReads: { rounds: 5, count: 100_000, batchEvents: 1_000 },
  sizes: { count: 100_000, batchEvents: 1_000 },
};

/** A run that shows whether everything works. */
export const QUICK = {
  seed: FULL.seed,
  singles: { rounds: 2, count: 100, slice: 50 },
  unawaited: { rounds: 1, count: 1_000 },
  batches: { rounds: 1, batchCount: 2, batchEvents: 1_000 },
  coldReads: { rounds: 1, count: 2_000, batchEvents: 1_000 },
  sizes: { count: 2_000, batchEvents: 1_000 },
};

const COLD_READERS = ["everfold", "blobs", "rows"];

/** Measures everything, one after the other: only one thing runs at a time. */
export async function measure(session, plan) {
  const { seed } = plan;
  console.log(`seed ${seed}`);
  const run = (name, options) => {
    console.log(`measuring ${name} ${JSON.stringify(options)}`);
    return session.call(name, { seed, ...options });
  };
  return {
    plan,
    singles: await run("singles", plan.singles),
    unawaited: await run("unawaited", plan.unawaited),
    batchesOfManyStreams: await run("batches", { ...plan.batches, streams: "many" }),
    batchesOfOneStream: await run("batches", { ...plan.batches, streams: "one" }),
    coldReads: await coldReads(session, run, plan.coldReads),
    sizes: await run("sizes", plan.sizes),
  };
}

/** Each read in a page of its own; who begins changes from round to round. */
async function coldReads(session, run, { rounds, count, batchEvents }) {
  const expected = await run("prepareColdReads", { count, batchEvents });
  const results = Object.fromEntries(COLD_READERS.map((contestant) => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    const start = round % COLD_READERS.length;
    for (const contestant of [...COLD_READERS.slice(start), ...COLD_READERS.slice(0, start)]) {
      await session.reload();
      results[contestant].push(await session.call("coldRead", { contestant, expected }));
    }
  }
  await session.reload();
  await session.call("endColdReads", {});
  return { count, results };
}
