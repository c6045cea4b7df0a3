// The recorded editing session that the demo appends.

const ADDRESS = "data/editing-trace-rustcode.json.gz";

/** The stream that the session is appended to. */
export const STREAM = "document-rustcode";

/** How many transactions the recording has: known before it is loaded, so that the page can say so. */
export const TRANSACTIONS = 36_981;

let loading;

/**
 * Loads the recording, once: its transactions as events to append, and the text that they lead to.
 *
 * @returns {Promise<{ events: { type: "Edited", time: string, data: { patches: [number, number, string][] } }[], endContent: string }>}
 */
export function loadTrace() {
  loading ??= load().catch((error) => {
    // The next attempt begins anew.
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load() {
  const response = await fetch(ADDRESS);
  if (!response.ok) throw new Error(`the recording cannot be loaded: ${ADDRESS} was answered with ${response.status}`);
  const trace = JSON.parse(await textOf(await response.blob()));
  const events = trace.txns.map(({ time, patches }) => ({ type: "Edited", time, data: { patches } }));
  return { events, endContent: trace.endContent };
}

/** Some servers announce a .gz file as encoded, and the browser has unpacked it already. */
async function textOf(blob) {
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const isPacked = first === 0x1f && second === 0x8b;
  if (!isPacked) return blob.text();
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
