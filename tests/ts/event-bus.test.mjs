import assert from "node:assert/strict";
import { test } from "node:test";
import { numbered, refused, until, withStore } from "./check.mjs";

test("a listener hears what is appended from then on, of its type, until it stops", () =>
  withStore(async (store) => {
    await store.append("a", numbered(2));
    const heard = [];
    const stop = store.on("Numbered", ({ position }) => void heard.push(position));
    await store.append("a", [...numbered(1), ...numbered(1, "Other"), ...numbered(1)]);
    await until(() => heard.length === 2);
    stop();
    stop();
    await store.append("a", numbered(1));
    const later = [];
    store.on("Numbered", ({ position }) => void later.push(position));
    await store.append("a", numbered(1));
    await until(() => later.length === 1);
    assert.deepEqual([heard, later], [[3, 5], [7]]);
  }));

test("facts are heard where they are named", () =>
  withStore(async (store) => {
    const heard = [];
    store.on("$deleted", ({ stream, revision }) => void heard.push([stream, revision]));
    await store.append("a", numbered(2));
    await store.delete("a");
    await until(() => heard.length === 1);
    assert.deepEqual(heard, [["a", undefined]]);
  }));

test("listeners may stop each other, and begin to listen, while an event is handed out", () =>
  withStore(async (store) => {
    const heard = [];
    const stops = [];
    const listen = (name, act) =>
      stops.push(
        store.on("Numbered", ({ position }) => {
          heard.push(`${name} ${position}`);
          act?.();
        }),
      );
    listen("first", () => {
      stops[1]();
      if (heard.length === 1) {
        listen("late");
        store.on("Other", ({ position }) => void heard.push(`other ${position}`));
      }
    });
    listen("second");
    listen("third");
    await store.append("a", [...numbered(1), ...numbered(1, "Other")]);
    await until(() => heard.length === 2);
    await store.append("a", [...numbered(1), ...numbered(1, "Other")]);
    await until(() => heard.length === 6);
    assert.deepEqual(heard, ["first 1", "third 1", "first 3", "third 3", "late 3", "other 4"]);
  }));

for (const fail of [
  () => {
    throw new Error("thrown");
  },
  () => Promise.reject(new Error("thrown")),
]) {
  test(`what a listener throws is reported, and nobody else's business: ${fail}`, async () => {
    const reported = [];
    const report = (error) => void reported.push(error.message);
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", report);
    try {
      await withStore(async (store) => {
        const heard = [];
        store.on("Numbered", fail);
        store.on("Numbered", ({ position }) => void heard.push(position));
        await store.append("a", numbered(2));
        await until(() => heard.length === 2);
        await until(() => reported.length === 2);
        assert.deepEqual([heard, reported], [[1, 2], ["thrown", "thrown"]]);
      });
    } finally {
      process.off("uncaughtException", report);
      for (const other of others) process.on("uncaughtException", other);
    }
  });
}

for (const [given, path] of [
  [[1, () => {}], "type"],
  [["A"], "handler"],
]) {
  test(`listening refuses ${path} of ${JSON.stringify(given)}`, () =>
    withStore((store) => refused(() => store.on(...given), "INVALID_ARGUMENT", { path })));
}
