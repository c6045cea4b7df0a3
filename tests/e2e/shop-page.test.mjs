// The shop, in several tabs at once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openDemo, violationsIn } from "./demo-page.mjs";

let demo;
let one;
let other;

before(async () => {
  demo = await openDemo();
  [one, other] = [await demo.open("shop.html"), await demo.open("shop.html")];
  for (const tab of [one, other]) await tab.waitForSelector("#cart-lines li");
});
after(() => demo?.close());

const quantity = (tab, sku) => tab.$eval(`[data-line="${sku}"] .quantity`, (shown) => Number(shown.textContent));
const revisions = (tab) => tab.$$eval("#events [data-revision]", (rows) => rows.map((row) => Number(row.dataset.revision)));

/** Waits until a line of the cart has so many. */
async function waitForQuantity(tab, sku, wanted) {
  await tab.waitForFunction(
    ({ sku, wanted }) => document.querySelector(`[data-line="${sku}"] .quantity`)?.textContent === String(wanted),
    { sku, wanted },
  );
}

test("two tabs that open the shop for the first time fill it once", async () => {
  assert.deepEqual(await revisions(one), [4, 3, 2, 1, 0]);
  assert.deepEqual(await revisions(other), [4, 3, 2, 1, 0]);
});

test("what is added in one tab is seen in the other, with its event and who did it", async () => {
  await one.click('[data-add="pot"]');
  await waitForQuantity(other, "pot", 1);
  await other.waitForFunction(() => document.querySelector("#events [data-revision]").dataset.revision === "5");
  const name = await one.textContent("#tab-name");
  assert.match(await other.textContent("#events li:first-child"), new RegExp(`ItemAdded.*tab ${name}.*1 × Cast-iron pot`));
  assert.match(await one.textContent("#events li:first-child"), /this tab/);
  await other.click('[data-line="pot"] [aria-label^="One more"]');
  await waitForQuantity(one, "pot", 2);
});

test("the cart is seen as it was after any event, and cannot be changed there", async () => {
  await one.click('#events [data-revision="0"]');
  await one.waitForSelector("#cart.is-past");
  assert.equal(await one.$$eval("#cart-lines li", (lines) => lines.length), 1);
  assert.match(await one.textContent("#cart-state"), /^as it was at \d{4}-/);
  assert.ok(await one.isDisabled("#check-out"));
  await one.focus("#cart-moment");
  await one.keyboard.press("ArrowRight");
  await one.waitForFunction(() => document.querySelectorAll("#cart-lines li").length === 2);
  await one.click("#cart-now");
  await waitForQuantity(one, "pot", 2);
});

test("an append on an old revision is refused, and resolved on the newest state", async () => {
  const before = (await revisions(one))[0];
  await one.click("#stale");
  await one.waitForSelector("#resolve");
  assert.match(await one.textContent("#conflict-steps"), new RegExp(`expected revision ${before - 1}, and the stream is at ${before}`));
  assert.equal((await revisions(one))[0], before);
  await one.click("#resolve");
  await one.waitForFunction((wanted) => document.querySelector("#events [data-revision]").dataset.revision === wanted, String(before + 1));
  assert.equal(await quantity(one, "honey"), 1);
});

test("the commands of two tabs at once are all stored, each once", async () => {
  const before = (await revisions(one))[0];
  await one.click("#contest");
  for (const tab of [one, other]) {
    await tab.waitForSelector("#conflict-steps .other-tab");
    await tab.waitForFunction((wanted) => document.querySelector("#events [data-revision]").dataset.revision === wanted, String(before + 10));
    const all = (await revisions(tab)).slice(0, 10).reverse();
    assert.deepEqual(all, Array.from({ length: 10 }, (_, place) => before + 1 + place));
  }
});

test("who uses the keyboard stays where they are: on a line of the cart, and on an event, whatever comes", async () => {
  await one.bringToFront();
  const before = await quantity(one, "pot");
  await one.focus('[data-line="pot"] [aria-label^="One more"]');
  for (const more of [1, 2]) {
    await one.keyboard.press("Enter");
    await waitForQuantity(one, "pot", before + more);
  }
  // With its last piece a line goes: the focus is on none of the others, whose buttons an Enter that comes late would press.
  await one.focus('[data-line="honey"] [aria-label^="One less"]');
  for (let left = await quantity(one, "honey"); 0 < left; left -= 1) {
    await waitForQuantity(one, "honey", left);
    await one.keyboard.press("Enter");
  }
  await one.waitForSelector('[data-line="honey"]', { state: "detached" });
  assert.equal(await one.evaluate(() => document.activeElement.id), "cart-lines");
  const newest = (await revisions(one))[0];
  await one.focus(`#events [data-revision="${newest}"]`);
  await other.$eval('[data-add="cup"]', (button) => button.click());
  await one.waitForFunction((newest) => document.querySelector("#events [data-revision]").dataset.revision === newest, String(newest + 1));
  assert.equal(await one.evaluate(() => document.activeElement.dataset.revision), String(newest));
});

/** Adds a cup, has the motions of its event stay at their first moment, and gives how many began. */
async function addHeld(tab) {
  const revision = (await revisions(tab))[0] + 1;
  await tab.evaluate((revision) => {
    // What came before moves no more.
    for (const animation of document.getAnimations()) animation.finish();
    globalThis.marked = 0;
    globalThis.hold = ({ target }) => {
      if (target.querySelector(`#events [data-revision="${revision}"]`) === null) return;
      globalThis.marked += 1;
      for (const animation of target.getAnimations()) {
        animation.pause();
        animation.currentTime = 0;
      }
    };
    document.addEventListener("animationstart", globalThis.hold);
  }, revision);
  await tab.click('[data-add="cup"]');
  await tab.waitForSelector(`#events [data-revision="${revision}"]`);
  return tab.evaluate(async () => {
    // What begins is told with a frame.
    for (let frames = 0; frames < 3; frames += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    document.removeEventListener("animationstart", globalThis.hold);
    return globalThis.marked;
  });
}

test("what is new is marked by a motion, and by none where that is asked for", async () => {
  const marks = async (reducedMotion) => {
    await one.emulateMedia({ reducedMotion });
    return addHeld(one);
  };
  assert.deepEqual([await marks("no-preference"), await marks("reduce")], [1, 0]);
  await one.emulateMedia({ reducedMotion: null });
});

test("what is new can be read while it is marked, light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await one.emulateMedia({ colorScheme, reducedMotion: "no-preference" });
    await addHeld(one);
    const states = await one.$eval("#events li", (row) => row.getAnimations().map(({ playState, currentTime }) => `${playState} at ${currentTime}`));
    assert.deepEqual(states, ["paused at 0"], colorScheme);
    assert.deepEqual(await violationsIn(one), [], colorScheme);
    await one.$eval("#events li", (row) => row.getAnimations().forEach((animation) => animation.finish()));
  }
  await one.emulateMedia({ colorScheme: null, reducedMotion: null });
});

test("an order that is placed empties the cart in both tabs, and stands on the board", async () => {
  const board = await demo.open("orders.html");
  await board.waitForSelector(".order");
  await one.click("#check-out");
  for (const tab of [one, other]) await tab.waitForFunction(() => document.querySelector("#cart-heading").textContent === "Cart 8");
  await one.locator("#events", { hasText: "No events yet." }).waitFor();
  await board.waitForSelector('[data-order="order-7"]');
  await board.close();
});

test("who starts over in one tab is told so in the other, and finds the sample data again", async () => {
  await one.bringToFront();
  await one.click("#start-over");
  await one.click('dialog button[value="delete"]');
  await one.waitForFunction(() => document.querySelector("#cart-heading").textContent === "Cart 7");
  await other.waitForSelector(".notice");
  await other.getByRole("button", { name: "Reload" }).click();
  await other.waitForSelector("#cart-lines li");
  assert.deepEqual(await revisions(other), [4, 3, 2, 1, 0]);
  // Said to people, and to those who look at the console.
  demo.complaints.splice(0, demo.complaints.length, ...demo.complaints.filter((text) => !text.includes("CLOSED") && !/closed/.test(text)));
});

test("neither page complained: nothing was refused by the policy, and no error went unsaid", () => {
  assert.deepEqual(demo.complaints, []);
});
