// Tasks that hold the page up for more than 50 ms, as the browser itself reports them.

const REST_ms = 50;

/** Every one since the page was loaded: when it began, and how long it took. */
const tasks = [];

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) tasks.push({ begun_ms: startTime, duration_ms: duration });
}).observe({ type: "longtask" });

/**
 * Runs something, and says how long it took, and how long each of the long tasks that it was in. It is given a task of
 * its own: what went on before and what goes on after it is none of its tasks.
 *
 * @template Result
 * @param {() => Promise<Result>} run
 * @returns {Promise<{ result: Result, elapsed_ms: number, longTasks_ms: number[] }>}
 */
export async function watched(run) {
  await rest();
  const begun_ms = performance.now();
  const result = await run();
  const ended_ms = performance.now();
  // The browser reports a task only after its end.
  await rest();
  const during = tasks.filter((task) => task.begun_ms < ended_ms && begun_ms < task.begun_ms + task.duration_ms);
  return { result, elapsed_ms: ended_ms - begun_ms, longTasks_ms: during.map(({ duration_ms }) => duration_ms) };
}

function rest() {
  return new Promise((resolve) => setTimeout(resolve, REST_ms));
}
