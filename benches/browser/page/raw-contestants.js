// The peers that write many events: as rows, and as blobs.

import { assertEqualWork, content } from "./checksum.js";
import { RawDatabase } from "./raw-database.js";

/** A record an event. */
export function rows(prefix, batches) {
  return contestant("rows", prefix, batches, (events) => events, (records) => records);
}

/** A record a batch: the JSON text of its events. */
export function blobs(prefix, batches) {
  return contestant("blobs", prefix, batches, (events) => [JSON.stringify(events)], (records) => records.flatMap((text) => JSON.parse(text)));
}

/** Writes each batch in a transaction of its own, one after the other. */
function contestant(name, prefix, batches, encode, decode) {
  const prepare = async (round) => {
    const database = `raw-${name}-${prefix}-${round}`;
    const raw = await RawDatabase.open(database);
    const run = async () => {
      let key = 1;
      for (const events of batches) {
        const values = encode(events);
        await raw.putAll(key, values);
        key += values.length;
      }
    };
    const check = async () => {
      raw.close();
      const again = await RawDatabase.open(database);
      assertEqualWork(database, content(batches.flat()), content(decode(await again.all())));
      again.close();
      await RawDatabase.destroy(database);
    };
    return { run, check };
  };
  return { name, prepare };
}
