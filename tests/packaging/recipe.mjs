// The recipes of docs/bundlers.md, as they stand there: blocks that are marked with the name of one.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { run } from "./app.mjs";

/** Tools tell nobody that they are used, and print no colours. */
export const ENV = { ...process.env, NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1" };

const RECIPES = await readFile(new URL("../../docs/bundlers.md", import.meta.url), "utf8");

/**
 * A recipe: its files, from blocks marked with its name and theirs, and its commands, from the block marked with its name alone.
 *
 * @param {string} name
 * @returns {{ files: Record<string, string>, commands: string[] }}
 */
export function recipe(name) {
  const files = {};
  let commands;
  for (const [, language, of, file, text] of RECIPES.matchAll(/^```(\w+) (\S+)(?: (\S+))?\n(.*?)^```$/gms)) {
    if (of !== name) continue;
    if (file !== undefined) files[file] = text;
    else if (language === "sh") commands = text.trim().split("\n").map((line) => line.replace(/ *#.*/, ""));
  }
  assert.ok(commands, `docs/bundlers.md has no commands that are marked ${name}`);
  return { files, commands };
}

/** Makes a project of a recipe's files and these, and runs the recipe's commands in it. Gives its folder. */
export async function make(app, name, files) {
  const { files: own, commands } = recipe(name);
  const folder = await app.project({ ...own, ...files });
  for (const command of commands) await run("bash", ["-ec", command], { cwd: folder, env: ENV });
  return folder;
}
