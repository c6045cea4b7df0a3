// Where the time of appends goes, by Chromium's own profiler.

const SAMPLING_us = 100;
const SHOWN = 40;
const SEED = 1;

const LOOPS = [
  { title: "single appends, awaited", options: { loop: "singles", count: 3_000 } },
  { title: "single appends, awaited together", options: { loop: "unawaited", count: 20_000 } },
  { title: "commits of 1,000 events", options: { loop: "batches", count: 20_000, batchEvents: 1_000 } },
];

/** Prints the functions in which most time is spent, for each loop. Wasm has names only where the build left them. */
export async function profileAppends({ page, call }) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Profiler.enable");
  await devtools.send("Profiler.setSamplingInterval", { interval: SAMPLING_us });
  for (const { title, options } of LOOPS) {
    await call("beginProfiled", { seed: SEED, ...options });
    await devtools.send("Profiler.start");
    await call("runProfiled", {});
    const { profile } = await devtools.send("Profiler.stop");
    await call("endProfiled", {});
    print(title, profile);
  }
}

function print(title, profile) {
  const self_ms = selfTimes(profile);
  const total_ms = [...self_ms.values()].reduce((sum, each) => sum + each, 0);
  console.log(`\n${title}: ${total_ms.toFixed(0)} ms`);
  const rows = [...self_ms].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
  for (const [name, each_ms] of rows) {
    console.log(`${each_ms.toFixed(1).padStart(9)} ms ${((100 * each_ms) / total_ms).toFixed(1).padStart(5)} %  ${name}`);
  }
}

/** Milliseconds in each function itself. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const self_ms = new Map();
  samples.forEach((id, index) => {
    const name = names.get(id);
    self_ms.set(name, (self_ms.get(name) ?? 0) + timeDeltas[index] / 1_000);
  });
  return self_ms;
}

function nameOf({ functionName, url, lineNumber }) {
  const file = url.split("/").at(-1);
  return url.startsWith("wasm:") || file === "" ? functionName : `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
}
