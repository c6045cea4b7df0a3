// What is measured of logs that are written once: how opening, reading and appending grow with them.

import { inTurn } from "./turns.mjs";

const COMMIT_EVENTS = 10_000;
const PROGRESS_EVENTS = 100_000;
/** Far from each other and from the ends: no round reads what another has read. */
const ACCOUNT_STEP = 7_919;

/** Writes the logs of a plan, and measures them. */
export async function measureLogs(session, run, { seed, growth, wide }) {
  const logs = growth.events.map((events) => logOf("growth", events, growth.eventsPerStream));
  const wideLog = logOf("wide", wide.events, wide.eventsPerStream);
  const compactions = [];
  for (const [index, log] of logs.entries()) {
    // Dexie has the small log only: the large one would take it minutes to write.
    compactions.push(await write(session, seed, log, ["everfold", "blobs", ...(index === 0 ? ["dexie"] : [])]));
  }
  compactions.push(await write(session, seed, wideLog, ["everfold", "blobs"]));
  await session.renew();
  console.log(`measuring openings, ${growth.openings} of each log`);
  const openings = await openingsOf([...logs, wideLog], growth.openings, session.revisit);
  await session.renew();
  const streams = await streamsOf(logs, growth.openings, session.revisit);
  const walks = await inTurn(["walks"], growth.walks, async () => {
    // Else clearing away the hundreds of pages that were opened before it may be in a task of a walk.
    await session.renew();
    return session.call("walkThrough", logs.at(-1));
  });
  const appends = [];
  for (const log of logs) {
    appends.push(await run("singles", { ...growth.singles, log }));
  }
  return { logs, wideLog, compactions, openings, streams, walks: walks.walks, appends };
}

function logOf(kind, events, eventsPerStream) {
  return { name: `${kind}-${events}`, events, streams: events / eventsPerStream };
}

/** Writes a log in large commits, in turns if there are several contestants, and says how far it is. */
async function write(session, seed, { name, events, streams }, contestants) {
  await session.reload();
  await session.call("beginLog", { seed, name, streams, contestants });
  for (let written = 0; written < events; ) {
    const count = Math.min(PROGRESS_EVENTS, events - written);
    await session.call("growLog", { count, batchEvents: COMMIT_EVENTS });
    written += count;
    console.log(`writing ${name}: ${written} of ${events} events`);
  }
  return session.call("endLog", {});
}

/** Of each log the results of each opener. */
async function openingsOf(logs, rounds, revisit) {
  const openers = logs.flatMap((log) => ["everfold", "everfoldUnstarted", "asked", "raw"].map((contestant) => ({ log, contestant })));
  const results = await inTurn([...openers.keys()], rounds, (index) => {
    const { log, contestant } = openers[index];
    return revisit("openLog", { contestant, name: log.name });
  });
  return openers.map(({ log, contestant }, index) => ({ name: log.name, events: log.events, contestant, rounds: results[index] }));
}

/** Of each log the results of reading one of its streams, another in each round; of the first log those of Dexie, too. */
async function streamsOf(logs, rounds, revisit) {
  const readers = [{ log: logs[0], contestant: "dexie" }, ...logs.map((log) => ({ log, contestant: "everfold" }))];
  const results = await inTurn([...readers.keys()], rounds, (index, round) => {
    const { log, contestant } = readers[index];
    const account = (ACCOUNT_STEP * (round + 1)) % log.streams;
    return revisit("readStream", { contestant, name: log.name, account, events: log.events / log.streams });
  });
  return readers.map(({ log, contestant }, index) => ({ name: log.name, events: log.events, contestant, rounds: results[index] }));
}
