// docs/benchmarks.md, from what was measured.

import { reasonOf } from "./reasons.mjs";
import { figures, machineText, sizeRow } from "./table.mjs";
import { whole } from "./lines.mjs";

/** The document of a report. */
export function markdown(report) {
  return `${[introduction(report), speed(report), slower(report), size(report), weight(report)].join("\n\n")}\n`;
}

function introduction({ machine, plan }) {
  return `# Benchmarks

everfold in a page of Chromium, beside IndexedDB used by hand. Written by

    npm run bench -- --write

on ${machine.date}: ${machineText(machine)}, ${machine.memoryGibibytes} GiB of memory. The profile is fresh, the durability relaxed on both sides.
A load above the number of cores means that others worked too: then the medians are higher and the spreads wider than they need be.

- The events are those of a bank with 1,000 accounts, made from the seed ${plan.seed}. Callers give the ids, random UUIDs, where nothing else is said.
- All contestants run in the same page and take turns, round by round; who begins changes, so that drift hits all. A round before them is not counted.
- After each round everything is read back; unless each contestant has exactly the same events, the run fails.
- A peer is handed the revisions, positions and times that everfold finds, and checks nothing: no expectation, no duplicate id, no other tab.`;
}

function speed({ lines, plan }) {
  const { singles, unawaited } = plan;
  const rows = lines.map((line) => [line.what, line.peer, line.unit, ...figures(line)]);
  const header = ["what", "peer", "unit", "everfold", "spread", "peer", "spread", "time ratio"];
  return `## Speed

Medians; the spread is from the least to the greatest round (${singles.rounds} of single appends, ${unawaited.rounds} of everything else). The ratio is
everfold's time over the peer's: below 1 everfold is quicker.

${markdownTable(header, rows, "lllrrrrr")}`;
}

function slower({ lines }) {
  const sentences = lines.filter(({ ratio }) => 1 < ratio).map(({ what, peer, ratio, key }) => {
    return `- *${what}*, against *${peer}*: ${ratio.toFixed(2)} times as long. ${reasonOf(key)}`;
  });
  if (sentences.length === 0) return "No line is slower than its peer.";
  return `What is slower than its peer, and why:\n\n${sentences.join("\n")}`;
}

function size({ sizes }) {
  const header = ["log", "events", "bytes an event", "as JSON", "records"];
  return `## On disk

Bytes of the keys and values of everything that the store keeps (\`store.stats()\`), before any compaction; beside them the length of the same events as
JSON texts, with what a store assigns where callers give the ids.

${markdownTable(header, sizes.map(sizeRow), "lrrrr")}`;
}

function weight({ weight: { parts } }) {
  const rows = parts.map(({ what, bytes, gzippedBytes }) => [what, whole(bytes), whole(gzippedBytes)]);
  return `## Package

\`npm run size\`, in bytes.

${markdownTable(["part", "as it is", "gzipped"], rows, "lrr")}`;
}

function markdownTable(header, rows, alignment) {
  const rule = [...alignment].map((side) => (side === "r" ? "---:" : "---"));
  return [header, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
