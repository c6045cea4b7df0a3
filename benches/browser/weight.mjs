// What a page loads, as the project weighs it.

import { spawnSync } from "node:child_process";

const LINE = /^(?<what>\S.*?)\s{2,}(?<bytes>\d+)\s+(?<gzippedBytes>\d+)(?:\s+\d+)?$/;

/** What `cargo xtask size` prints; it fails above its budget, which is not a matter of this table. */
export function weigh(project) {
  const { stdout } = spawnSync("cargo", ["xtask", "size"], { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const text = stdout.trimEnd().split("\n");
  const parts = text.flatMap((line) => {
    const found = LINE.exec(line)?.groups;
    return found === undefined ? [] : [{ what: found.what, bytes: Number(found.bytes), gzippedBytes: Number(found.gzippedBytes) }];
  });
  if (parts.length === 0) throw new Error("`cargo xtask size` printed no weights");
  return { text, parts };
}
