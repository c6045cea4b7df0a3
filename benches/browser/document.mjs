// docs/benchmarks.md, from what was measured.

import { judged } from "./bars.mjs";
import { whole } from "./lines.mjs";
import { limitOf, reasonOf } from "./reasons.mjs";
import { GROWTH_HEADER, LINE_HEADER, compactionText, grouped, growthRow, lineRow, machineText, summaryText } from "./table.mjs";

/** The document of a report. */
export function markdown(report) {
  return `${[introduction(report), measures(report), missed(report), slower(report), growth(report), ...nativeGrowth(report), clocks(report), weight(report)].join("\n\n")}\n`;
}

function introduction(report) {
  const { machine, plan, compacted } = report;
  const command = plan.form === "full" ? "npm run bench -- --full --write" : "npm run bench -- --write";
  return `# Benchmarks

everfold in a page of Chromium, beside IndexedDB used by hand and beside Dexie. Written by

    ${command}

on ${machine.date}: ${machineText(machine)}, ${machine.memoryGibibytes} GiB of memory. The profile is fresh, the durability relaxed on all sides.
A load above the number of cores means that others worked too: then the medians are higher and the spreads wider than they need be.

![Charts of what is measured here](benchmarks.svg)

${summaryText(report)}. ${compactionText(compacted)}

- The events are those of a bank with 1,000 accounts, made from the seed ${plan.seed}. Callers give the ids, random UUIDs, where nothing else is said.
- All contestants run in one browser and take turns, round by round; who begins changes, so that drift hits all. In one page, who follows whom changes too, and a round before them is not counted. Each part begins in a
  process of its own, so that none has to live with the heap that another has left. For the same reason the garbage of the page is collected
  before each turn of many appends, of commits and of read models, and the storage gets up to a second to sort what was written; those that
  read or fold a whole log begin in a page that was reloaded. A store is closed after its turn, because it would compact in those of others.
- What was written is read back; unless each contestant has exactly the same events, the run fails.
- All JavaScript is as an application's: everfold's bundled, split where it is imported later, and minified by esbuild, Dexie's in its one file.
- *Dexie* has the guarantees as indexes, \`++position, &id, &[stream+revision]\`, and gets each batch by one \`bulkAdd\`, with relaxed durability.
- *One record an event* and *one JSON text a commit* are IndexedDB by hand: they are handed the revisions, positions and times that everfold finds, and check
  nothing: no expectation, no duplicate id, no other tab. They commit by \`commit()\`.`;
}

function measures({ lines, plan }) {
  const { singles, commands, unawaited, coldReads, projections, growth } = plan;
  const tables = [...grouped(lines)].map(([group, inGroup]) => `### ${group}\n\n${markdownTable(LINE_HEADER, inGroup.map(lineRow), "lllrrrl")}`);
  return `## Measures

Medians, and in brackets the least and the greatest round: ${singles.rounds} rounds of single appends, ${unawaited.rounds} of many and of commits of many, ${coldReads.rounds} of reading
and folding a whole log, ${commands.rounds} of commands, of loads and of asking for documents, ${projections.rounds} of making them, ${growth.walks} of walks through a log, ${growth.openings} of opening one and
of reading a stream. The ratio is everfold's figure over the peer's, of each round: of rates more than 1 is quicker, of times less.
A bar is what everfold is held to; of memory and of tasks the greatest round is judged, of everything else the median.

${tables.join("\n\n")}`;
}

function missed({ lines }) {
  const missing = lines.flatMap((line) => judged(line).filter(({ verdict }) => verdict === "missed").map(({ text }) => ({ line, text })));
  if (missing.length === 0) return "## Bars that are missed\n\nNone.";
  const sentences = missing.map(({ line: { what, peer, key }, text }) => `- *${what}*${peer === undefined || peer === "" ? "" : `, against *${peer}*`}: ${text}. ${limitOf(key)}`);
  return `## Bars that are missed, and what stops them\n\nThe shares of time are of one such profile, of a build with names and not optimised by wasm-opt, on a machine that had other work as well: they say where time goes, not how much.\n\n${sentences.join("\n")}`;
}

function slower({ lines }) {
  const sentences = lines.filter(isSlower).map(({ what, peer, ratio, key }) => {
    return `- *${what}*, against *${peer}*: ${ratio.median.toFixed(2)} times its figure. ${reasonOf(key)}`;
  });
  if (sentences.length === 0) return "## Where everfold is slower\n\nNo line is slower than its peer.";
  return `## Where everfold is slower\n\n${sentences.join("\n")}`;
}

/** Of a rate less is slower, of a time more. What is compared with itself or in bytes is not slow. */
function isSlower({ unit, ratio, key }) {
  if (ratio === undefined || key === "stream-large" || key.startsWith("task-")) return false;
  if (unit === "events/s") return ratio.median < 1;
  return unit === "ms" && 1 < ratio.median;
}

function growth({ growth: rows }) {
  return `## Growth

Medians in milliseconds, and in brackets the least and the greatest round: an awaited append, opening with the wasm started, and opening and reading one stream of 100
events, by the length of the log. Raw IndexedDB keeps one JSON text a commit, and reads the head of its log when it opens.

${markdownTable(GROWTH_HEADER, rows.map(growthRow), "rrrrrrr")}`;
}

function nativeGrowth({ nativeGrowth: measured }) {
  if (measured === undefined) return [];
  const rows = measured.rows.map(([events, ...figures]) => [whole(Number(events)), ...figures]);
  return [
    `## Growth without a browser

\`cargo bench --bench growth --features testing\`: the core alone, natively, on the storage in memory. A log is made in commits of 1,000 events with ids of their callers, 100 events to
a stream, and compacted on demand after each 200,000. Times are medians over 21 stores that were opened anew, each behind it with how many records were read: of opening; of opening and reading a stream of 100
events; of one append to a stream that was not asked for yet; and of the next one to it. The streams are spread evenly over the whole log, which is the hardest there is: the events of
one stand in as many blocks as there are units, at most in as many as it has events. A slice is what a compaction does before others have their turn. Compacted
again is the log after 1,000 events more.

${markdownTable(measured.header, rows, "r".repeat(measured.header.length))}`,
  ];
}

function clocks({ plan }) {
  return `## What the clocks run over

| measure | from, to |
| --- | --- |
| an append, awaited | the call, to its answer; the peer's record has the bytes of everfold's |
| a command | the call of \`execute\`, to its answer, with an aggregate of functions; the peer is \`append\` of the same event to the same stream of another store |
| appends awaited together; commits | the first call, to the last answer; the events are made before |
| open, read all | \`EventStore.open\`, to the last page of \`readAll().pages()\`; the page was reloaded in a running browser, its JavaScript is loaded, that which a page loads with its first fold too (\`everfold/whole\`), the wasm is not. It had done the same before it was reloaded, so Chromium has the wasm in its cache and mostly also compiled; a page *not visited before* came after one of another contestant |
| fold | \`EventStore.open\`, to the states of all accounts, by \`loadAll\`. A second and a third time in the same page, without opening; the third finds in memory what the second has read. Of the fourth to the tenth time the median: by then the browser has compiled for speed what it runs again and again, which the third has still to wait for |
| open | \`EventStore.open\` alone, the wasm started where nothing else is said; the peer's \`indexedDB.open\` and one \`get\` |
| open, read a stream | \`EventStore.open\` and \`read(stream).toArray()\`, the wasm started; another stream in each round |
| open, load | \`EventStore.open\` and \`load\`, the wasm started; the stream is compacted, but for its last events |
| bytes | the keys and values of all object stores, counted record by record; the ${whole(plan.sizes.count)} events of a bank |
| wasm memory | the memory of the instance after \`open\` and after all of \`readAll().pages()\`; it only grows |
| longest task | of those that the browser reports, which are over 50 ms, 0 where it reports none. A walk through a log begins in a process of its own: of a page that is only reloaded, clearing away those that were opened before may be in the task. Of appends awaited together the loop that calls is in it |`;
}

function weight({ weight: { parts } }) {
  const rows = parts.map(({ what, bytes, gzippedBytes }) => [what, whole(bytes), whole(gzippedBytes)]);
  return `## Package

\`npm run size\`, in bytes.

${markdownTable(["part", "as it is", "gzipped"], rows, "lrr")}

The scripts that are loaded later share code: what several of them need is counted in each row, because whoever asks for one of them first loads it. A page
that uses everything loads it once, and so less than the rows of what it consists of come to.`;
}

function markdownTable(header, rows, alignment) {
  const rule = [...alignment].map((side) => (side === "r" ? "---:" : "---"));
  return [header, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
