// A contender in a dedicated worker.

import { contend } from "./contender.js";

self.addEventListener("message", async ({ data }) => {
  try {
    self.postMessage({ value: await contend(data) });
  } catch (error) {
    self.postMessage({ error: String(error?.stack ?? error) });
  }
});
