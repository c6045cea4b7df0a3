// Where the time of appends, of opening and of reading goes, by Chromium's own profiler.

const SAMPLING_us = 100;
const SHOWN = 40;
const SEED = 1;

const LOOPS = [
  { title: "single appends, awaited", options: { loop: "singles", count: 3_000 } },
  { title: "single appends, awaited together", options: { loop: "unawaited", count: 20_000 } },
  { title: "commits of 1,000 events", options: { loop: "batches", count: 20_000, batchEvents: 1_000 } },
];

const COLD_EVENTS = 100_000;
const COLD_BATCH_EVENTS = 1_000;
const COLD_STORE = "cold";
const COLD_ROUNDS = 10;

/** What is done in a page that was just loaded; the time is that of all rounds. */
const COLD = [
  { title: "opening, the wasm started", name: "openLog", options: () => ({ contestant: "everfold", name: COLD_STORE }) },
  { title: "opening, and reading everything", name: "coldRead", options: (expected) => ({ contestant: "everfold", expected }) },
];

const TIMELINE_TURNS = 60;

const REOPENING_TURNS = 40;

/** Prints when an awaited append does what, and the functions in which most time is spent, for each loop. Wasm has names only where the build left them. */
export async function profileAll(session) {
  printTimeline(await session.call("timeline", { seed: SEED, turns: TIMELINE_TURNS }));
  const devtools = await session.page.context().newCDPSession(session.page);
  await devtools.send("Profiler.enable");
  await devtools.send("Profiler.setSamplingInterval", { interval: SAMPLING_us });
  await profileAppends(session, devtools);
  await profileCold(session, devtools);
}

function printTimeline(contestants) {
  console.log("\nan awaited append: median ms since the call, the profiler not running");
  for (const { name, medians_ms } of contestants) {
    const moments = Object.entries(medians_ms).map(([moment, at_ms]) => `${moment} ${at_ms.toFixed(3)}`);
    console.log(`  ${name}: ${moments.join(" · ")}`);
  }
}

async function profileAppends({ call }, devtools) {
  for (const { title, options } of LOOPS) {
    await call("beginProfiled", { seed: SEED, ...options });
    const { profile } = await profiled(devtools, () => call("runProfiled", {}));
    await call("endProfiled", {});
    print(title, selfTimes(profile));
  }
}

async function profileCold({ call, reload }, devtools) {
  const { expected } = await call("prepareColdReads", { seed: SEED, count: COLD_EVENTS, batchEvents: COLD_BATCH_EVENTS });
  await printReopening(call);
  for (const { title, name, options } of COLD) {
    const frames = [];
    let elapsed_ms = 0;
    for (let round = 0; round < COLD_ROUNDS; round += 1) {
      await reload();
      const { result, profile } = await profiled(devtools, () => call(name, options(expected)));
      elapsed_ms += result.elapsed_ms;
      frames.push(...selfTimes(profile));
    }
    print(`${title}, ${COLD_ROUNDS} rounds of ${(elapsed_ms / COLD_ROUNDS).toFixed(1)} ms each, and the check of what was read`, added(frames));
  }
  await reload();
  await call("endColdReads", {});
}

/** What is left of an opening once all of its code has run. */
async function printReopening(call) {
  console.log("\nopening the same log again in one page, the wasm started: median ms");
  for (const contestant of ["everfold", "raw"]) {
    const median_ms = await call("openAgain", { contestant, name: COLD_STORE, turns: REOPENING_TURNS });
    console.log(`  ${contestant}: ${median_ms.toFixed(2)}`);
  }
}

async function profiled(devtools, run) {
  await devtools.send("Profiler.start");
  const result = await run();
  return { result, ...(await devtools.send("Profiler.stop")) };
}

/** One row for each function. */
function added(frames) {
  const rows = new Map();
  for (const frame of frames) {
    const row = rows.get(frame.name);
    if (row === undefined) rows.set(frame.name, frame);
    else row.self_ms += frame.self_ms;
  }
  return [...rows.values()];
}

function print(title, frames) {
  const total_ms = sum(frames);
  console.log(`\n${title}: ${total_ms.toFixed(0)} ms`);
  const kinds = groupByKind(frames);
  printShares([...kinds].map(([kind, inKind]) => ({ name: kind, self_ms: sum(inKind) })), total_ms);
  console.log();
  printShares(frames, total_ms);
}

function printShares(rows, total_ms) {
  for (const { name, self_ms } of [...rows].sort((a, b) => b.self_ms - a.self_ms).slice(0, SHOWN)) {
    console.log(`${self_ms.toFixed(1).padStart(9)} ms ${((100 * self_ms) / total_ms).toFixed(1).padStart(5)} %  ${name}`);
  }
}

function groupByKind(frames) {
  const kinds = new Map(frames.map(({ kind }) => [kind, []]));
  for (const frame of frames) kinds.get(frame.kind).push(frame);
  return kinds;
}

function sum(frames) {
  return frames.reduce((total_ms, { self_ms }) => total_ms + self_ms, 0);
}

/** Milliseconds in each function itself. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const frames = new Map(nodes.map(({ id, callFrame }) => [names.get(id), { name: names.get(id), kind: kindOf(callFrame), self_ms: 0 }]));
  samples.forEach((id, index) => {
    frames.get(names.get(id)).self_ms += timeDeltas[index] / 1_000;
  });
  return [...frames.values()];
}

function nameOf({ functionName, url, lineNumber }) {
  const file = url.split("/").at(-1);
  return url.startsWith("wasm:") || file === "" ? functionName : `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
}

/** Whose code it is. */
function kindOf({ functionName, url }) {
  if (functionName.endsWith("everfold_bg.wasm") || url.includes("everfold_bg.wasm")) return "core (wasm)";
  if (url === "") return functionName.startsWith("(") ? functionName : "browser";
  if (url.endsWith("/everfold.js")) return "glue";
  return url.includes("/dist/") ? "facade (ts)" : "benchmark";
}
