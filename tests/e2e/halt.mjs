// A place at which a page stands still in the midst of what it does, for the test to know and to act.

import { createServer } from "node:http";

/**
 * An address that is never answered. A page that asks for it and waits within its task stands still: nothing of it runs any
 * more, and no transaction of it goes on. What such a page tells its driver may lie there until the task ends.
 *
 * @returns {Promise<{ url: string, reached: Promise<void>, close: () => Promise<void> }>}
 *   `reached` resolves when a page stands there
 */
export async function openHalt() {
  let reach;
  const reached = new Promise((resolve) => (reach = resolve));
  const server = createServer(() => reach());
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    reached,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
