// The orders of the demo and the work that they make, in two tabs: paid, shipped and paid back by the one that leads, whatever becomes of it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openDemo, violationsIn } from "./demo-page.mjs";

/** After so long another tab has to have taken over. */
const TAKEOVER_MS_MAX = 5_000;
const TASKS = ["fulfilment", "bank", "carrier"];

let demo;
let one;
let other;

before(async () => {
  demo = await openDemo();
  one = await demo.open("orders.html");
  await one.waitForSelector(".order");
  await waitForLead(one, "this tab leads");
  other = await demo.open("orders.html");
  await other.waitForSelector(".order");
});
after(() => demo?.close());

/** Waits until all tasks are led so, as a tab sees it. */
function waitForLead(tab, lead) {
  return tab.waitForFunction((lead) => [...document.querySelectorAll(".task .chip")].every(({ textContent }) => textContent === lead), lead);
}

/** Waits until nothing is to be done. */
function waitForRest(tab) {
  return tab.waitForFunction((count) => [...document.querySelectorAll(".task-lag")].filter(({ textContent }) => textContent === "0").length === count, TASKS.length);
}

/** Presses a button, also of a tab that is hidden behind another. */
const press = (tab, selector) => tab.$eval(selector, (button) => button.click());
const choose = (tab, who, what) => press(tab, `#${who} [value="${what}"]`);
const nameOf = (tab) => tab.textContent("#tab-name");

/** What is in the log, read by a program in the page. */
const readLog = (tab) =>
  tab.evaluate(async () => {
    const { EventStore } = await import("/dist/index.js");
    const store = await EventStore.open("demo-shop");
    const events = await store.readAll().toArray();
    await store.close();
    return events.map(({ id, type, stream, metadata }) => ({ id, type, stream, metadata }));
  });

/** Places an order, and gives its stream. */
async function place(tab) {
  const before = new Set((await readLog(tab)).map(({ stream }) => stream));
  await press(tab, "#place-one");
  for (;;) {
    const placed = (await readLog(tab)).find(({ type, stream }) => type === "OrderPlaced" && !before.has(stream));
    if (placed !== undefined) return placed.stream;
  }
}

/** The types of what came of an order, each event caused by another one. */
async function storyOf(tab, order) {
  const number = order.slice("order-".length);
  const events = (await readLog(tab)).filter(({ stream }) => /^(order|payment|shipment)-/.test(stream) && stream.endsWith(`-${number}`));
  const ids = new Set(events.map(({ id }) => id));
  assert.ok(events.slice(1).every(({ metadata }) => ids.has(metadata.causationId)));
  return events.map(({ type }) => type).join(" ");
}

const column = (tab, status, order) => tab.waitForSelector(`[data-status="${status}"] [data-order="${order}"]`, { state: "attached" });

test("one tab leads all the work, every tab says which, and what waited since before it is done", async () => {
  await waitForLead(other, `tab ${await nameOf(one)} leads`);
  await waitForLead(one, "this tab leads");
  // Of the sample data one order was placed, and one paid.
  for (const order of ["order-5", "order-6"]) await column(other, "shipped", order);
});

test("an order is paid and shipped, and delivered once whoever presses", async () => {
  const order = await place(other);
  for (const tab of [one, other]) await column(tab, "shipped", order);
  await Promise.all([one, other].map((tab) => press(tab, `[data-order="${order}"] [data-step="Deliver"]`)));
  for (const tab of [one, other]) await column(tab, "delivered", order);
  const events = (await readLog(one)).filter(({ stream }) => stream === order).map(({ type }) => type);
  assert.deepEqual(events, ["OrderPlaced", "OrderPaid", "OrderShipped", "OrderDelivered"]);
});

test("what a bank refuses is cancelled, and what a carrier loses is paid back", async () => {
  await choose(other, "bank", "refuses");
  await one.waitForSelector('#bank [value="refuses"]:checked', { state: "attached" });
  const refused = await place(other);
  await column(one, "cancelled", refused);
  assert.equal(await storyOf(one, refused), "OrderPlaced PaymentRequested PaymentRefused OrderCancelled");

  await choose(one, "bank", "pays");
  await choose(one, "carrier", "loses");
  const lost = await place(one);
  await column(other, "cancelled", lost);
  const story = "OrderPlaced PaymentRequested PaymentTaken OrderPaid ShipmentRequested ShipmentFailed PaymentReturned OrderCancelled";
  assert.equal(await storyOf(one, lost), story);
  await choose(one, "carrier", "ships");
  await press(other, `[data-story="${lost}"]`);
  await other.waitForFunction((count) => document.querySelectorAll("#events li").length === count, story.split(" ").length);
  assert.match(await other.textContent("#events li:first-child"), /OrderCancelled.*the parcel was lost, paid back/);
  await press(other, "#all-orders");
});

test("a bank that does not answer is tried again, its payment is parked, and paid when somebody says so", async () => {
  await choose(other, "bank", "silent");
  const order = await place(other);
  await one.waitForFunction(() => /the bank does not answer. Attempt \d of 4/.test(document.querySelector('[data-task="bank"] .task-state').textContent));
  const parked = `[data-parked="${order.replace("order", "payment")}"]`;
  for (const tab of [one, other]) await tab.waitForSelector(parked, { state: "attached" });
  await one.waitForFunction(() => document.querySelector('[data-task="bank"] .task-state').textContent === "all else is done");
  assert.match(await one.textContent(parked), /after 4 attempts: Error: the bank does not answer/);
  await press(one, `[data-story="${order}"]`);
  assert.deepEqual(await violationsIn(one), [], "with work that is parked, and a story that is told");
  await choose(other, "bank", "pays");
  await press(other, `${parked} button`);
  for (const tab of [one, other]) await column(tab, "shipped", order);
  for (const tab of [one, other]) await tab.waitForSelector(parked, { state: "detached" });
});

test("the worker that leads is killed amid its work: the other tab goes on, and every order is paid and shipped once", async () => {
  await other.evaluate(() => {
    // A task that is further than the log is nonsense, for however short a time it is shown.
    globalThis.beyond = [];
    const look = () => {
      for (const { textContent } of document.querySelectorAll(".task .number")) {
        const [, position, end] = (/^position ([\d,]+) of ([\d,]+)/.exec(textContent) ?? []).map((text) => Number(text.replaceAll(",", "")));
        if (end < position) globalThis.beyond.push(textContent);
      }
    };
    new MutationObserver(look).observe(document.querySelector("#tasks"), { subtree: true, childList: true, characterData: true });
  });
  await press(other, "#place-many");
  await other.waitForFunction(() => Number(document.querySelector('[data-task="bank"] .task-lag').textContent) > 20);
  await press(other, "#kill");
  await other.waitForFunction(() => document.querySelector("#takeover").textContent.split(" after ").length === 4);
  const told = await other.textContent("#takeover");
  console.log(`  ${told}`);
  const elapsed_ms = [...told.matchAll(/after ([\d.]+) (ms|s)/g)].map(([, elapsed, unit]) => Number(elapsed) * (unit === "s" ? 1_000 : 1));
  assert.ok(Math.max(...elapsed_ms) <= TAKEOVER_MS_MAX, told);
  await waitForLead(other, "this tab leads");
  await waitForRest(other);
  assert.deepEqual(await other.evaluate(() => globalThis.beyond), []);
  const steps = (await readLog(other)).filter(({ type }) => ["PaymentTaken", "ParcelShipped", "OrderShipped"].includes(type)).map(({ type, stream }) => `${type} ${stream}`);
  assert.equal(new Set(steps).size, steps.length);
  assert.equal(await other.$eval('[data-status="placed"] .chip', ({ textContent }) => textContent), "0");
});

test("where nobody is left who works, nothing is lost: who starts again goes on where it was", async () => {
  await press(other, "#kill");
  await waitForLead(other, "nobody leads");
  await other.waitForFunction(() => /no other tab is there/.test(document.querySelector("#takeover").textContent));
  assert.deepEqual(await violationsIn(other), [], "with nobody who works");
  const order = await place(other);
  await column(other, "placed", order);
  await press(one, "#restart");
  await waitForLead(one, "this tab leads");
  await column(other, "shipped", order);
  assert.equal(await storyOf(one, order), "OrderPlaced PaymentRequested PaymentTaken OrderPaid ShipmentRequested ParcelShipped OrderShipped");
});

test("who uses the keyboard stays on the board: on their order when others come, and on the next one when theirs is gone", async () => {
  await one.bringToFront();
  const [first, second] = await one.$$eval('[data-status="shipped"] [data-order]', (cards) => cards.map((card) => card.dataset.order));
  const focused = () => one.evaluate(() => document.activeElement.closest("[data-order]")?.dataset.order);
  await one.focus(`[data-order="${first}"] [data-step="Deliver"]`);
  await column(one, "shipped", await place(other));
  assert.equal(await focused(), first);
  await one.keyboard.press("Enter");
  await column(one, "delivered", first);
  await one.waitForSelector(`[data-status="shipped"] [data-order="${first}"]`, { state: "detached" });
  assert.equal(await focused(), second);
  // An Enter that comes late, or is held, does nothing to an order that nobody chose.
  assert.equal(await one.evaluate(() => document.activeElement.dataset.step), undefined);
});

test("what has come is marked once, and not again when something else comes", async () => {
  await press(one, "#all-orders");
  const begun = await one.evaluateHandle(() => {
    const ids = [];
    document.addEventListener("animationstart", ({ target }) => ids.push(target.dataset.order ?? target.textContent));
    return ids;
  });
  for (const tab of [one, other, one]) await column(one, "shipped", await place(tab));
  const ids = await one.evaluate((begun) => begun, begun);
  const orders = ids.filter((id) => /^order-\w+$/.test(id));
  // Placed, paid and shipped.
  for (const order of new Set(orders)) assert.ok(orders.filter((id) => id === order).length <= 3, `${order}: ${orders.join()}`);
  const others = ids.filter((id) => !orders.includes(id));
  assert.ok(0 < orders.length && 0 < others.length);
  assert.equal(new Set(others).size, others.length, others.join("\n"));
});

test("the board is rebuilt, and is the same", async () => {
  const count = (tab) => tab.$$eval(".column .chip", (chips) => chips.map(({ textContent }) => textContent));
  const before = await count(one);
  await press(one, "#rebuild");
  await one.waitForSelector(".toast.done", { state: "attached" });
  assert.deepEqual(await count(one), before);
});

test("neither page complained: nothing was refused by the policy, and no error went unsaid", () => {
  assert.deepEqual(demo.complaints, []);
});
