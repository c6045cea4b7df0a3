// Measures everything, one after the other: only one thing runs at a time.

import { measureLogs } from "./large-logs.mjs";
import { inTurn } from "./turns.mjs";

const COLD_READERS = ["everfold", "uncompacted", "blobs", "rows", "dexie"];
const COLD_LOADERS = ["snapshot", "replayed"];
const QUERIED = ["everfold", "dexie"];
const COLD_FOLDERS = ["rust", "declarative", "functions", "dexie"];

/** Runs a plan in a session; gives what each part found, round by round. */
export async function measure(session, plan) {
  const { seed } = plan;
  console.log(`seed ${seed}, ${plan.form} form`);
  const run = async (name, options) => {
    console.log(`measuring ${name} ${JSON.stringify(options)}`);
    await session.renew();
    return session.call(name, { seed, ...options });
  };
  return {
    plan,
    singles: await run("singles", plan.singles),
    commands: await run("commands", plan.commands),
    unawaited: await run("unawaited", plan.unawaited),
    batches: await run("batches", plan.batches),
    coldReads: await coldReads(session, run, plan.coldReads),
    coldLoads: await coldLoads(session, run, plan.coldLoads),
    projections: await run("projections", plan.projections),
    queries: await queries(session, run, plan.queries),
    sizes: await run("sizes", plan.sizes),
    ...(await measureLogs(session, run, plan)),
  };
}

/** Each read and each fold in a page that is reloaded; who begins changes from round to round. */
async function coldReads(session, run, { rounds, count, batchEvents }) {
  const { expected, accounts, compaction } = await run("prepareColdReads", { count, batchEvents });
  const sizes = await session.call("coldSizes", {});
  await session.renew();
  const read = (contestant) => session.revisit("coldRead", { contestant, expected });
  const fold = (contestant) => session.revisit("coldFold", { contestant, accounts });
  const results = await inTurn(COLD_READERS, rounds, read);
  const folds = await inTurn(COLD_FOLDERS, rounds, fold);
  await session.reload();
  await session.call("endColdReads", {});
  return { count, compaction, sizes, results, folds };
}

/** Each load in a page that is reloaded. */
async function coldLoads(session, run, { rounds, count }) {
  const prepared = await run("prepareColdLoads", { count });
  await session.renew();
  const load = (contestant) => session.revisit("coldLoad", { contestant, ...prepared });
  const results = await inTurn(COLD_LOADERS, rounds, load);
  await session.reload();
  await session.call("endColdLoads", {});
  return { count, results };
}

/** Documents that are asked for, each time in a page that is reloaded. */
async function queries(session, run, { rounds, count }) {
  const prepared = await run("prepareQueries", { count });
  await session.renew();
  const ask = (contestant) => session.revisit("coldQueries", { contestant, ...prepared });
  const results = await inTurn(QUERIED, rounds, ask);
  await session.reload();
  await session.call("endQueries", {});
  return { count, results };
}
