// Code that is loaded when it is first needed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Part, asTheyAre } from "../../dist/parts.js";

const partOf = (source) => Object.assign(new Part("folds.js"), { source });

test("a part that is there is worked with at once, and one that is not is loaded once", async () => {
  let loads = 0;
  const part = partOf(async () => ({ load: (loads += 1) }));
  const works = [part.use(async ({ load }) => load), part.use(async ({ load }) => load)];
  assert.deepEqual(await Promise.all(works), [1, 1]);
  let isDone = false;
  void part.use(async () => (isDone = true));
  assert.ok(isDone, "it was waited for");
});

test("a part that cannot be loaded is refused with why, and the next call tries again", async () => {
  const outcomes = [Promise.reject(new TypeError("no network")), Promise.resolve({ answer: 42 })];
  const part = partOf(() => outcomes.shift());
  const answer = () => part.use(async ({ answer }) => answer);
  await assert.rejects(answer, { code: "SUPPLEMENT_UNAVAILABLE", supplement: "folds.js", retryable: true, cause: "TypeError: no network" });
  assert.equal(await answer(), 42);
});

test("what works with a part throws what it throws", async () => {
  const part = partOf(async () => ({}));
  const work = () => Promise.reject(new RangeError("mine"));
  await assert.rejects(() => part.use(work), RangeError);
  await assert.rejects(() => part.use(work), RangeError);
});

test("options are as they were when the call was made, whatever object they are", () => {
  class Options {
    limit = 1;
    get signal() {
      return "of the class";
    }
  }
  const options = new Options();
  const kept = asTheyAre(options);
  options.limit = 2;
  options.more = 3;
  assert.equal(kept.limit, 1);
  assert.equal(kept.signal, "of the class");
  assert.deepEqual(Object.keys(kept), ["limit"]);
  for (const value of [undefined, null, "text", 7]) assert.equal(asTheyAre(value), value);
  const list = [];
  assert.equal(asTheyAre(list), list);
});

/** The modules that a file of the package imports. */
function importsOf(file) {
  const text = readFileSync(new URL(`../../dist/${file}`, import.meta.url), "utf8");
  return [...text.matchAll(/^(?:import|export) (?:.* from )?"\.\/([^"]+)";$/gm)].map(([, imported]) => imported);
}

/** A file, and all that is loaded with it. */
function loadedWith(file, loaded = new Set()) {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  importsOf(file).forEach((imported) => loadedWith(imported, loaded));
  return loaded;
}

test("a browser asks at once for all files that it lacks to fold or to decide", () => {
  const first = loadedWith("index.js");
  for (const part of ["folds.js", "commands.js"]) {
    const lacking = [...loadedWith(part)].filter((file) => file !== part && !first.has(file));
    assert.ok(3 < lacking.length, `${part} lacks ${lacking}`);
    assert.deepEqual(lacking.filter((file) => !importsOf(part).includes(file)), []);
  }
});
