// The demo's page in Chromium, used as a person uses it: by its buttons, its slider and its log.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { EMPTY, fold } from "../../www/session/document.js";
import { openChromium } from "./chromium.mjs";
import { makeProfile } from "./program.mjs";
import { serveTests } from "./server.mjs";

const TRACE = new URL("../../www/data/editing-trace-rustcode.json.gz", import.meta.url);
const { txns, endContent } = JSON.parse(gunzipSync(readFileSync(TRACE)));
const EDITS = txns.map(({ patches }) => ({ type: "Edited", data: { patches } }));

/** A folder for pictures of the page; none are taken where it is not set. */
const { SCREENSHOTS } = process.env;

let server;
let profile;
let browser;
let page;
/** What the page complained of: refused by its policy, or not caught. */
const complaints = [];

before(async () => {
  server = await serveTests();
  profile = makeProfile();
  browser = await openChromium(profile.path, { viewport: { width: 1360, height: 1000 }, acceptDownloads: true });
  ({ page } = await browser.openPage(`${server.url}session.html`));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.reload();
  await page.waitForSelector("#append:enabled");
});

after(async () => {
  await browser?.close();
  profile?.remove();
  await server?.close();
});

/** Does something to the page at the moment when so many edits are appended. */
async function whenAppended(edits, action) {
  await page.evaluate(
    ({ edits, action }) => {
      const bar = document.querySelector("#append-progress");
      new MutationObserver((_, observer) => {
        if (bar.value < edits) return;
        observer.disconnect();
        if (action === "reload") location.reload();
        else document.querySelector(action).click();
      }).observe(document.querySelector("#append-state"), { childList: true });
    },
    { edits, action },
  );
}

const stored = () => page.$eval("#append-progress", (bar) => bar.value);

/** The whole text that is shown, by the button that saves it. */
async function shownText() {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  return readFileSync(await download.path(), "utf8");
}

async function waitForMoment(moment) {
  const label = new RegExp(`^${moment.toLocaleString("en")} of `);
  await page.waitForFunction((source) => new RegExp(source).test(document.querySelector("#moment-label").textContent), label.source);
}

async function moveSlider(moment) {
  await page.$eval(
    "#moment",
    (slider, value) => {
      slider.value = String(value);
      slider.dispatchEvent(new Event("input"));
    },
    moment,
  );
  await waitForMoment(moment);
}

const sliderWidth = () => page.$eval("#moment", (slider) => slider.getBoundingClientRect().width);

/** Keeps back what a tab measures of its store, until `releaseMeasures` there: by then the store may be gone. */
async function holdMeasures(tab) {
  await tab.evaluate(async () => {
    const { EventStore } = await import("/dist/index.js");
    const { stats } = EventStore.prototype;
    const held = [];
    let release;
    const released = new Promise((resolve) => (release = resolve));
    EventStore.prototype.stats = async function () {
      const found = await stats.call(this);
      held.push(found);
      await released;
      return found;
    };
    globalThis.releaseMeasures = async () => {
      EventStore.prototype.stats = stats;
      release();
      // Who waited for it goes on first.
      await new Promise((resolve) => setTimeout(resolve));
      return held.length;
    };
  });
}

async function takePicture(name) {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

test("a pause stops appending, a reload in the middle loses nothing, and appending carries on where it was", async () => {
  await takePicture("empty");
  await whenAppended(8_000, "#append");
  await page.click("#append");
  await page.waitForFunction(() => document.querySelector("#append").textContent === "Carry on");
  const paused = await stored();
  assert.ok(8_000 <= paused && paused < EDITS.length, `paused at ${paused}`);

  const reloaded = page.waitForEvent("load");
  await whenAppended(20_000, "reload");
  await page.click("#append");
  await reloaded;
  await page.waitForFunction(() => document.querySelector("#append").textContent === "Carry on");
  const carried = await stored();
  assert.ok(20_000 <= carried && carried < EDITS.length, `reloaded at ${carried}`);
  await waitForMoment(carried);
  assert.equal(await shownText(), fold(EMPTY, EDITS.slice(0, carried)).text);

  await page.click("#append");
  await page.waitForFunction(() => document.querySelector("#append").textContent === "All edits are stored", undefined, { timeout: 60_000 });
  assert.equal(await stored(), EDITS.length);
});

test("the end is the text that the recording ends with, and the page says so", async () => {
  await waitForMoment(EDITS.length);
  await page.waitForFunction(() => / · equal to /.test(document.querySelector("#moment-state").textContent));
  assert.equal(await shownText(), endContent);
  await takePicture("end");
});

test("the slider rebuilds the document of any moment", async () => {
  for (const moment of [0, 1, 499, 500, 501, 12_345, 36_980, 3, 20_000]) {
    await moveSlider(moment);
    assert.equal(await shownText(), fold(EMPTY, EDITS.slice(0, moment)).text, `after ${moment} edits`);
  }
  await takePicture("moment");
});

test("an event of the log is chosen by pointer and by keyboard, and leads to its moment", async () => {
  await moveSlider(30_000);
  const row = page.locator("#event-30003");
  await row.click();
  await waitForMoment(30_004);
  await page.waitForSelector("#event-30003[aria-selected=true]");
  assert.match(await row.textContent(), /30,004.*Edited/);
  await page.keyboard.press("ArrowUp");
  await waitForMoment(30_003);
  await page.keyboard.press("Home");
  await waitForMoment(1);
  assert.equal(await shownText(), fold(EMPTY, EDITS.slice(0, 1)).text);
});

test("a replay runs through every event to the end, and stops when it is told to", async () => {
  const isBusy = () => page.getAttribute("#moment-state", "aria-busy");
  await moveSlider(1);
  const width = await sliderWidth();
  await page.selectOption("#speed", "600");
  await page.click("#play");
  await page.waitForFunction(() => 10 < Number(document.querySelector("#moment").value));
  assert.equal(await isBusy(), "true");
  await page.click("#play");
  await page.waitForFunction(() => document.querySelector("#play").textContent === "Play");
  assert.equal(await isBusy(), "false");
  const stopped = Number(await page.$eval("#moment", (slider) => slider.value));
  assert.ok(10 < stopped && stopped < EDITS.length, `stopped at ${stopped}`);
  assert.equal(await shownText(), fold(EMPTY, EDITS.slice(0, stopped)).text);

  await page.selectOption("#speed", "Infinity");
  await page.click("#play");
  await waitForMoment(EDITS.length);
  await page.waitForFunction(() => document.querySelector("#play").textContent === "Play");
  assert.equal(await sliderWidth(), width, "what is dragged moves under the pointer");
  await page.setViewportSize({ width: 360, height: 740 });
  await page.waitForFunction(() => {
    const [box, row] = ["#log", "#log [aria-selected=true]"].map((selector) => document.querySelector(selector)?.getBoundingClientRect());
    return row?.bottom <= box.bottom + 1;
  });
  await page.setViewportSize({ width: 1360, height: 1000 });
  assert.match(await page.textContent("[data-figure=replayRate]"), /^[\d,]+\s\/\ss$/);
  assert.equal(await shownText(), endContent);
});

test("a second tab shows the same session, and appending in both at once stores each edit once", async () => {
  await deleteDatabase(page);
  const { page: second } = await browser.openPage(`${server.url}session.html`);
  await second.waitForSelector("#append:enabled");
  await holdMeasures(second);
  await Promise.all([page.click("#append"), second.click("#append")]);
  for (const tab of [page, second]) {
    await tab.bringToFront();
    await tab.waitForFunction(() => document.querySelector("#append").textContent === "All edits are stored", undefined, {
      timeout: 60_000,
    });
  }
  await waitForMoment(EDITS.length);
  assert.equal(await shownText(), endContent);
  // The other tab is told when the database is deleted, and can go on.
  await deleteDatabase(page);
  await second.bringToFront();
  await second.getByRole("button", { name: "Open it again" }).waitFor();
  assert.equal(await second.textContent("#append-count"), "0 of 36,981");
  assert.ok(0 < (await second.evaluate(() => globalThis.releaseMeasures())), "nothing was being measured");
  assert.deepEqual([...new Set(await second.$$eval("[data-figure]", (figures) => figures.map(({ textContent }) => textContent)))], ["–"]);
  assert.ok(await second.isVisible("text=Every stored event stands here."));
  await second.getByRole("button", { name: "Open it again" }).click();
  await second.waitForSelector("#append:enabled");
  assert.equal(await second.textContent("#append-count"), "0 of 36,981");
  await second.close();
});

test("a file of events is appended, replayed and shown at any moment as the session is", async () => {
  const lines = Array.from({ length: 1_200 }, (_, number) => JSON.stringify({ type: "Counted", data: { number }, time: 1_700_000_000_000 + number * 1_000 }));
  await page.setInputFiles("#file", { name: "counts.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from(lines.join("\n")) });
  await page.waitForFunction(() => document.querySelector("#append-count").textContent === "0 of 1,200");
  await page.click("#append");
  await page.waitForFunction(() => document.querySelector("#append").textContent === "All events are stored");
  await waitForMoment(1_200);
  await moveSlider(2);
  assert.equal(await shownText(), 'Counted {"number":0}\nCounted {"number":1}');
  await page.selectOption("#speed", "Infinity");
  await page.click("#play");
  await waitForMoment(1_200);
  assert.match(await shownText(), /Counted \{"number":1199\}$/);
});

test("a file of edits is the text that they come to, and one that is no NDJSON is refused by its line", async () => {
  const edits = [{ patches: [[0, 0, "hello world"]] }, { patches: [[6, 5, "there"]] }];
  const drop = (name, text) =>
    page.evaluate(
      ({ name, text }) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], name));
        dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
      },
      { name, text },
    );
  await drop("greeting.ndjson", edits.map((edit) => JSON.stringify(edit)).join("\n"));
  await page.waitForFunction(() => document.querySelector("#append-count").textContent === "0 of 2");
  await page.click("#append");
  await waitForMoment(2);
  assert.equal(await shownText(), "hello there");
  await drop("bad.ndjson", '{"type":"A"}\nno JSON');
  await page.getByText("bad.ndjson cannot be shown: line 2 is no JSON").waitFor();
  assert.equal(await page.textContent("#append-count"), "2 of 2");
});

test("on a phone nothing is wider than the screen", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} pixels wide`);
  await takePicture("phone");
});

test("nothing was refused by the page's policy, and no error went unsaid", () => {
  assert.deepEqual(complaints, []);
});

async function deleteDatabase(tab) {
  await tab.bringToFront();
  await tab.click("#delete");
  await tab.locator("#delete-dialog button[value=delete]").click();
  await tab.waitForFunction(() => document.querySelector("#append-count").textContent.startsWith("0 of"));
  await tab.waitForSelector("#append:enabled");
}
