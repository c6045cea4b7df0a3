// The demo's figures: what is measured in the page, and what the stores say of themselves.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openDemo } from "./demo-page.mjs";

let demo;
let page;

before(async () => {
  demo = await openDemo();
  const shop = await demo.open("shop.html");
  await shop.waitForSelector("#cart-lines li");
  await shop.close();
  page = await demo.open("figures.html");
  await page.waitForSelector("#stores tr");
});
after(() => demo?.close());

const cells = (selector) => page.$$eval(selector, (found) => found.map((cell) => cell.textContent));

/** Measures as chosen, and gives the row of the run. */
async function measure(fields) {
  const runs = (await cells("#runs tr")).length;
  for (const [name, value] of Object.entries(fields)) await page.selectOption(`#measure [name="${name}"]`, value);
  await page.click("#measure-button");
  await page.waitForFunction((runs) => document.querySelectorAll("#runs tr").length === runs, runs + 1);
  return cells("#runs tr:first-child > *");
}

test("a first run is measured when the page is opened, and its bars are all of its appends", async () => {
  assert.equal((await cells("#runs tr")).length, 1);
  const bars = await cells("#histogram tbody td");
  assert.equal(bars.reduce((sum, count) => sum + Number(count), 0), 300);
  assert.match(await page.textContent("#latency-state"), /^Half of them took at most [\d.]+ ms, 95 of 100 at most [\d.]+ ms\.$/);
});

test("a run has the durability, the appends and the events that were asked for", async () => {
  const [durability, appends, events, ...times] = await measure({ appends: "100", events: "10", durability: "strict" });
  assert.deepEqual([durability, appends, events], ["strict", "100", "10"]);
  const [half, most, nearlyAll, longest] = times.map((text) => Number.parseFloat(text));
  assert.ok(0 < half && half <= most && most <= nearlyAll && nearlyAll <= longest, times.join());
});

test("every store that there is has its measures, and none is made by looking", async () => {
  await page.waitForFunction(() => document.querySelector('[data-store="demo-figures"] td')?.textContent === "1,300");
  assert.deepEqual((await cells('[data-store="demo-shop"] td')).slice(0, 2), ["36", "13"]);
  assert.deepEqual(await cells('[data-store="demo-audit"] td'), ["not opened yet"]);
  assert.ok(!(await page.evaluate(async () => (await indexedDB.databases()).some(({ name }) => name.includes("demo-audit")))));
});

test("the room is what the browser says, and persistence what it answers", async () => {
  assert.match(await page.textContent("#quota-text"), /^[\d.]+ (kB|MB) of [\d.]+ (GB|TB) in use/);
  await page.click("#persist");
  await page.waitForSelector(".toast");
  assert.match(await page.textContent("#persisted"), /^(Not p|P)romised:/);
});

test("compaction says what it came to, and bytes per event fall by it as the page has said", async () => {
  const bytesPerEvent = () => page.$eval('[data-figure="bytesPerEvent"]', (figure) => Number(figure.textContent));
  assert.match(await page.textContent("#bytes-note"), /Bytes per event fall when the log is compacted/);
  const before = await bytesPerEvent();
  await page.click("#compact");
  await page.getByText(/^Compacted: from [\d.]+ (kB|MB) to [\d.]+ (bytes|kB|MB)\.$/).waitFor();
  await page.waitForFunction((before) => Number(document.querySelector('[data-figure="bytesPerEvent"]').textContent) < before, before);
  assert.ok((await bytesPerEvent()) < before / 5, `${before} bytes before, ${await bytesPerEvent()} after`);
});

test("where nothing is left to compact, that is said", async () => {
  await page.click("#compact:enabled");
  await page.getByText(/^Nothing was left to compact: [\d.]+ (bytes|kB|MB) are stored\.$/).waitFor();
});

test("on a phone no table has to be scrolled, and the chart stays within its card", async () => {
  for (const width of [390, 360]) {
    const before = await page.$eval("#histogram svg", (svg) => svg.viewBox.baseVal.width);
    await page.setViewportSize({ width, height: 844 });
    await page.waitForFunction((before) => document.querySelector("#histogram svg").viewBox.baseVal.width < before, before);
    const boxes = await page.$$eval(".scroll", (boxes) => boxes.map((box) => ({ name: box.ariaLabel, inner: box.scrollWidth, outer: box.clientWidth })));
    assert.ok(0 < boxes.length, "there is no table that could be scrolled");
    assert.deepEqual(boxes.filter(({ inner, outer }) => outer < inner), [], `${width} pixels wide`);
    const texts = await page.$eval("#histogram svg", (svg) => {
      const { left, right } = svg.getBoundingClientRect();
      return [...svg.querySelectorAll("text")].map((text) => {
        const box = text.getBoundingClientRect();
        return { name: text.textContent, isWithin: left - 1 <= box.left && box.right <= right + 1 };
      });
    });
    assert.ok(0 < texts.length, "the chart has no text");
    assert.deepEqual(texts.filter(({ isWithin }) => !isWithin), [], `${width} pixels wide`);
  }
  await page.setViewportSize({ width: 1360, height: 1000 });
});

test("the page did not complain: nothing was refused by its policy, and no error went unsaid", () => {
  assert.deepEqual(demo.complaints, []);
});
