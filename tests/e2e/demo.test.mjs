// What holds for every page of the demo: its policy, phones, light and dark, and who uses it by keyboard or hears it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { openDemo, violationsIn } from "./demo-page.mjs";
import { openFirefox } from "./firefox.mjs";
import { makeProfile } from "./program.mjs";
import { BARE_PAGE } from "./server.mjs";

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/** The pages, and what is there when one has begun. */
const PAGES = {
  "index.html": ".pages a",
  "session.html": "#append:enabled",
  "shop.html": "#cart-lines li",
  "orders.html": ".order",
  "log.html": "#log .log-row",
  "audit.html": "#steps tr",
  "figures.html": "#stores tr",
};

/** The narrowest screen that people have. */
const PHONE = { width: 360, height: 740 };

/** More stops than any page has. */
const KEYS_MAX = 120;

/** What is pressed is no smaller: WCAG 2.2, target size. */
const TARGET_PX_MIN = 24;

/**
 * Runs in the page: what has the focus, whether the ring around it is drawn and not cut off at the sides, and whether it is the last stop of `main`; nothing
 * where that is no element.
 */
function whereFocusIs() {
  const focused = document.activeElement;
  if (focused === document.body) return undefined;
  const name = `${focused.tagName} ${focused.id} ${focused.ariaLabel ?? focused.textContent.trim().slice(0, 30)}`;
  const stops = [...document.querySelectorAll("main :is(a[href], button, input, select, summary, [tabindex])")].filter(
    (stop) => 0 <= stop.tabIndex && !stop.disabled && stop.checkVisibility(),
  );
  const isLast = focused === stops.at(-1);
  // The label of a radio or a file, and the whole card of a link, have the ring in its place.
  const styles = [getComputedStyle(focused), getComputedStyle(focused, "::after"), ...(focused.nextElementSibling ? [getComputedStyle(focused.nextElementSibling)] : [])];
  const ring = styles.find(({ outlineStyle }) => outlineStyle !== "none");
  // The parts of a date have one of the browser's own.
  if (ring === undefined) return { name, isLast, isSeen: focused.type === "date" };
  const beyond_px = Math.max(0, Number.parseFloat(ring.outlineWidth) + Number.parseFloat(ring.outlineOffset));
  let box = focused.parentElement;
  while (box !== null && getComputedStyle(box).overflowX === "visible") box = box.parentElement;
  const [inner, outer] = [focused, box ?? document.documentElement].map((element) => element.getBoundingClientRect());
  return { name, isLast, isSeen: outer.left - 0.5 <= inner.left - beyond_px && inner.right + beyond_px <= outer.right + 0.5 };
}

/** Runs in the page: how much is pressed, and what of it is smaller than that. Links amid a text are as high as it. */
function findSmall(size_px) {
  const targets = [...document.querySelectorAll("button, select, summary, main a, nav a, input")].filter((target) => target.checkVisibility() && getComputedStyle(target).display !== "inline");
  // A box is pressed by its label too, and a radio is as large as what stands for it.
  const boxes = targets.map((target) => (target.labels?.length ? target.labels[0] : target)).filter((target) => 0 < target.offsetWidth);
  const small = boxes.filter((target) => target.getBoundingClientRect().height < size_px || target.getBoundingClientRect().width < size_px);
  return { count: boxes.length, small: small.map((target) => `${target.tagName} ${target.id} ${target.textContent.trim().slice(0, 30)}`) };
}

let demo;
before(async () => (demo = await openDemo()));
after(() => demo?.close());

async function openPage(name) {
  const page = await demo.open(name);
  await page.waitForSelector(PAGES[name]);
  return page;
}

for (const name of Object.keys(PAGES)) {
  test(`${name} states the policy, and has nothing that it would refuse`, async () => {
    const text = readFileSync(new URL(`../../www/${name}`, import.meta.url), "utf8");
    assert.ok(text.includes(`<meta http-equiv="Content-Security-Policy" content="${POLICY}">`));
    assert.doesNotMatch(text, /\sstyle=|\son\w+=|<style|<script>/);
  });

  test(`${name} is no wider than a phone`, async () => {
    const page = await openPage(name);
    await page.setViewportSize(PHONE);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= PHONE.width, `the page is ${width} pixels wide`);
    await page.close();
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`${name} is accessible, ${colorScheme}`, async () => {
      const page = await openPage(name);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const viewport of [{ width: 1360, height: 1000 }, PHONE]) {
        await page.setViewportSize(viewport);
        assert.deepEqual(await violationsIn(page), [], `${viewport.width} pixels wide`);
      }
      await page.close();
    });
  }

  test(`${name} shows where the keyboard is, and cuts nothing of it off at the sides`, async () => {
    const page = await openPage(name);
    const places = [];
    while (places.length < KEYS_MAX) {
      await page.keyboard.press("Tab");
      const place = await page.evaluate(whereFocusIs);
      if (place === undefined) break;
      places.push(place);
    }
    assert.ok(0 < places.length && places.length < KEYS_MAX, `${places.length} stops`);
    assert.ok(places.some(({ isLast }) => isLast), `the last of ${places.length} stops is ${places.at(-1).name}`);
    assert.deepEqual(places.filter(({ isSeen }) => !isSeen).map(({ name }) => name), []);
    await page.close();
  });

  test(`${name} has nothing too small for a finger`, async () => {
    const page = await openPage(name);
    await page.setViewportSize(PHONE);
    const { count, small } = await page.evaluate(findSmall, TARGET_PX_MIN);
    assert.ok(0 < count, "nothing is pressed");
    assert.deepEqual(small, []);
    await page.close();
  });

  test(`${name} is reached and left by keyboard`, async () => {
    const page = await openPage(name);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "jump");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.close();
  });
}

test("the theme is that of the system, until another is chosen, which holds in all tabs and after a reload", async () => {
  const [one, other] = [await openPage("index.html"), await openPage("shop.html")];
  const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await one.emulateMedia({ colorScheme: "light" });
  await other.emulateMedia({ colorScheme: "light" });
  const light = await background(one);
  await one.getByRole("button", { name: "Dark theme" }).click();
  await other.waitForFunction((light) => getComputedStyle(document.body).backgroundColor !== light, light);
  const dark = await background(one);
  assert.equal(await background(other), dark);
  await one.reload();
  assert.equal(await background(one), dark);
  assert.equal(await one.getByRole("button", { name: "Dark theme" }).getAttribute("aria-pressed"), "true");
  await one.evaluate(() => localStorage.clear());
  await Promise.all([one.close(), other.close()]);
});

test("every page begins in Firefox too", async () => {
  const profile = makeProfile();
  const browser = await openFirefox(profile.path);
  try {
    // In a frame: what a driver runs in a page itself, the policy of the demo refuses.
    const page = await browser.openPage(demo.url + BARE_PAGE);
    for (const [name, selector] of Object.entries(PAGES)) {
      const found = await page.run(
        async ({ name, selector }) => {
          const frame = document.createElement("iframe");
          frame.src = `/${name}`;
          document.body.append(frame);
          await new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
          const deadline_ms = performance.now() + 20_000;
          const isThere = () => frame.contentDocument.querySelector(selector) !== null;
          while (!isThere() && performance.now() < deadline_ms) await new Promise((resolve) => setTimeout(resolve, 20));
          const outcome = { isThere: isThere(), notice: frame.contentDocument.querySelector("#notices")?.textContent ?? "" };
          frame.remove();
          return outcome;
        },
        { name, selector },
      );
      assert.deepEqual(found, { isThere: true, notice: "" }, name);
    }
  } finally {
    await browser.close();
    profile.remove();
  }
});

test("no page complained: nothing was refused by the policy, and no error went unsaid", () => {
  assert.deepEqual(demo.complaints, []);
});
