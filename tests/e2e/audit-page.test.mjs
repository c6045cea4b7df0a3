// The demo's audit: who changed what, what it was before, and that two tabs agree on it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { openDemo } from "./demo-page.mjs";

let demo;
let one;
let other;

before(async () => {
  demo = await openDemo();
  one = await demo.open("audit.html");
  await one.waitForFunction(() => document.querySelectorAll("#steps tr").length === 19);
  other = await demo.open("audit.html");
  await other.waitForFunction(() => document.querySelectorAll("#steps tr").length === 19);
});
after(() => demo?.close());

const changesOf = (tab, id) => tab.$$eval(`[data-event="${id}"] .change`, (changes) => changes.map((change) => [...change.children].map((part) => part.textContent).join(" ")));

test("what an older release wrote is read as what is written today", async () => {
  assert.deepEqual(await changesOf(one, "user-ada:1"), ["roles none → reader"]);
  assert.equal(await one.textContent('[data-event="user-ada:1"] .what'), "RolesChanged");
});

test("a change is shown in both tabs, with who made it, what was before, and the patch", async () => {
  await one.click('[data-user="user-alan"]');
  await one.selectOption("#actor", "Eve");
  await one.check('#roles [value="billing"]');
  await one.click("#roles-form button");
  for (const tab of [one, other]) {
    await tab.waitForSelector('[data-event="user-alan:4"]');
    assert.deepEqual(await changesOf(tab, "user-alan:4"), ["roles reader → reader, billing"]);
    const row = await tab.textContent('[data-event="user-alan:4"]');
    assert.match(row, /Eve.*Alan Turing/);
    assert.ok(row.includes('{"op":"add","path":"/roles/1","value":"billing"}'), row);
  }
});

test("what is so already, and what the rules refuse, writes nothing", async () => {
  await one.click("#roles-form button");
  await one.waitForSelector(".toast.refused");
  await other.click('[data-user="user-mallory"]');
  await other.fill("#email", "new@example.org");
  await other.click("#email-form button");
  await other.getByText("Mallory is suspended: reinstate them first.").waitFor();
  assert.equal(await one.$$eval("#steps tr", (rows) => rows.length), 20);
});

test("a user is seen as they were on a day", async () => {
  await one.click('[data-user="user-ada"]');
  const time = await one.textContent('[data-event="user-ada:1"] .when');
  await one.fill("#as-of", time.slice(0, 10));
  await one.waitForSelector("#user.is-past");
  assert.match(await one.textContent("#user-facts"), /ada@example\.org.*reader(?!editor)/);
  assert.ok(await one.isDisabled("#email"));
  assert.ok(await one.isChecked('#roles [value="reader"]'));
  assert.ok(!(await one.isChecked('#roles [value="editor"]')));
  await one.fill("#as-of", "2020-01-01");
  await one.getByText("not registered yet on that day").waitFor();
  await one.click("#as-of-now");
  await one.waitForFunction(() => document.querySelector("#user-facts").textContent.includes("ada@example.com"));
});

test("changes are found by who made them and to whom", async () => {
  await one.selectOption("#by", "Eve");
  const who = await one.$$eval("#steps tr td:nth-child(2)", (cells) => cells.map((cell) => cell.textContent));
  assert.deepEqual(who, ["Eve", "Eve", "Eve"]);
  await one.selectOption("#whose", "user-mallory");
  assert.equal(await one.$$eval("#steps tr", (rows) => rows.length), 1);
  await one.selectOption("#whose", "user-grace");
  await one.waitForSelector("#steps-empty:visible");
  await one.selectOption("#by", "");
  await one.selectOption("#whose", "");
});

test("a name is text, whatever is in it, and who registers is listed in both tabs", async () => {
  const name = "<img src=x onerror=alert(1)>";
  await one.fill("#new-name", name);
  await one.fill("#new-email", "img@example.org");
  await one.click("#register-form button");
  for (const tab of [one, other]) await tab.locator("#users strong", { hasText: name }).waitFor();
  assert.equal(await one.$$eval("main img", (images) => images.length), 0);
});

test("a patch that is being read stays open, and has the focus, when another tab changes a user", async () => {
  const summary = '[data-event="user-ada:1"] summary';
  await one.focus(summary);
  await one.keyboard.press("Enter");
  const count = await one.$$eval("#steps tr", (rows) => rows.length);
  await other.click('[data-user="user-kurt"]');
  await other.fill("#email", "goedel@example.org");
  await other.click("#email-form button");
  await one.waitForFunction((count) => document.querySelectorAll("#steps tr").length === count + 1, count);
  assert.ok(await one.$eval(summary, (summary) => summary.parentElement.open && document.activeElement === summary));
});

test("a patch that is opened moves no column", async () => {
  const lefts = () => one.$$eval("thead th", (heads) => heads.map((head) => head.getBoundingClientRect().left));
  const before = await lefts();
  const opened = await one.$$eval("#steps details", (all) => all.map((details) => (details.open = true)));
  assert.ok(0 < opened.length, "there is no patch");
  assert.deepEqual(await lefts(), before);
});

test("on a phone the longest name and address fit", async () => {
  await one.fill("#new-name", "Augusta Ada King, Countess of Lovelace, née Byron");
  await one.fill("#new-email", `${"countess.".repeat(5)}lovelace@analytical-engines.example.org`);
  await one.click("#register-form button");
  await one.locator("#users strong", { hasText: "Augusta" }).waitFor();
  await one.setViewportSize({ width: 360, height: 740 });
  assert.equal(await one.evaluate(() => document.documentElement.scrollWidth), 360);
  await one.setViewportSize({ width: 1360, height: 1000 });
});

test("neither page complained: nothing was refused by the policy, and no error went unsaid", () => {
  assert.deepEqual(demo.complaints, []);
});
