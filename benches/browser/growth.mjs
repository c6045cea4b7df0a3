// How what a user waits for grows with the log.

import { elapsed } from "./lines.mjs";
import { percentile, spread } from "./statistics.mjs";

/**
 * A row a log: its events and streams, and the medians, in milliseconds, of an awaited append, of opening, and of opening
 * and reading one stream, each with the spread over the rounds; of raw IndexedDB what it has of it.
 */
export function growthOf({ logs, openings, streams, appends }) {
  return logs.map((log, index) => {
    const appended = (rounds) => spread(rounds.map(({ latencies_ms }) => percentile(latencies_ms, 0.5)));
    const { everfold, raw } = appends[index].results;
    return {
      events: log.events,
      streams: log.streams,
      append: appended(everfold),
      rawAppend: appended(raw),
      open: spread(elapsed(openings, log, "everfold")),
      rawOpen: spread(elapsed(openings, log, "raw")),
      stream: spread(elapsed(streams, log, "everfold")),
    };
  });
}
