// Makes up the log of a service: accounts, invoices and tickets over a season, with more on weekdays.

/** The name of the page's store. */
export const STORE = "demo-log";

const DAY_MS = 86_400_000;

/** Over so many days the events are spread. */
const DAYS = 90;

/** Events in one commit: few enough that a page stays live, enough that commits cost little. */
const BATCH_EVENTS = 1_000;

const COUNTRIES = ["de", "fr", "gb", "it", "nl", "pl", "se"];
const PLANS = ["free", "team", "business"];
const PAGES = ["/", "/prices", "/docs", "/docs/start", "/account", "/team"];

/** What happens, how often, in which category, and with what data. */
const KINDS = [
  ["PageViewed", 46, "account", (random) => ({ page: random.of(PAGES), ms: 20 + random.below(900) })],
  ["SignedIn", 18, "account", (random) => ({ device: random.of(["phone", "laptop", "tablet"]) })],
  ["ProfileChanged", 6, "account", (random) => ({ field: random.of(["name", "email", "language", "time zone"]) })],
  ["PlanChosen", 3, "account", (random) => ({ plan: random.of(PLANS), seats: 1 + random.below(40) })],
  ["InvoiceSent", 8, "invoice", (random) => ({ cents: 900 + random.below(90_000), currency: "EUR" })],
  ["InvoicePaid", 7, "invoice", (random) => ({ method: random.of(["card", "transfer", "debit"]) })],
  ["InvoiceOverdue", 1, "invoice", (random) => ({ days: 14 + random.below(30) })],
  ["TicketOpened", 4, "ticket", (random) => ({ subject: random.of(["Cannot sign in", "A question on an invoice", "Export is slow", "A wish"]) })],
  ["TicketAnswered", 5, "ticket", (random) => ({ minutes: 3 + random.below(600) })],
  ["TicketClosed", 2, "ticket", () => ({})],
];

const WEIGHT = KINDS.reduce((sum, [, weight]) => sum + weight, 0);

/** How many streams there are of a category. */
const STREAMS = { account: 400, invoice: 900, ticket: 300 };

/** Chance that can be repeated: the same seed makes the same log. */
class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** The next number from 0 to 1: mulberry32, by Tommy Ettinger. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(bound) {
    return Math.floor(this.next() * bound);
  }

  of(values) {
    return values[this.below(values.length)];
  }
}

/**
 * Appends so many events, batch by batch.
 *
 * @param {object} store
 * @param {number} total
 * @param {object} options
 * @param {number} options.now the last of the events is of about this time
 * @param {AbortSignal} options.signal ends it after the batch under way
 * @param {(done: number) => void} options.onProgress
 * @returns {Promise<number>} how many were appended
 */
export async function appendSample(store, total, { now, signal, onProgress }) {
  const random = new Random(store.position + 1);
  const shares = season(now);
  let done = 0;
  while (done < total && !signal.aborted) {
    const count = Math.min(BATCH_EVENTS, total - done);
    await store.appendAll(batch(random, { count, from: done, timeAt: (place) => timeOf(shares, (place + 1) / total, now) }));
    done += count;
    onProgress(done);
    // The page gets its turn.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return done;
}

/** The events of one commit, as writes by stream. */
function batch(random, { count, from, timeAt }) {
  const writes = new Map();
  for (let place = from; place < from + count; place += 1) {
    const [type, category, dataOf] = kindOf(random);
    const number = 1 + Math.floor(STREAMS[category] * random.next() ** 1.6);
    const stream = `${category}-${number}`;
    const events = writes.get(stream) ?? [];
    const tags = [`country:${COUNTRIES[number % COUNTRIES.length]}`, `plan:${PLANS[number % PLANS.length]}`];
    events.push({ type, data: dataOf(random), tags, time: timeAt(place) });
    writes.set(stream, events);
  }
  return [...writes].map(([stream, events]) => ({ stream, events }));
}

function kindOf(random) {
  let rest = random.next() * WEIGHT;
  for (const [type, weight, category, dataOf] of KINDS) {
    rest -= weight;
    if (rest < 0) return [type, category, dataOf];
  }
  const [type, , category, dataOf] = KINDS[0];
  return [type, category, dataOf];
}

/** How much happens on each day of the season, up to it and with it, as shares of the whole: less on weekends, and more as time goes on. */
function season(now) {
  const shares = [];
  let sum = 0;
  for (let day = 0; day < DAYS; day += 1) {
    const weekday = new Date(now - (DAYS - day) * DAY_MS).getUTCDay();
    const isWeekend = weekday === 0 || weekday === 6;
    sum += (isWeekend ? 0.35 : 1) * (0.6 + (0.6 * day) / DAYS) * (0.85 + 0.3 * Math.abs(Math.sin(day * 1.7)));
    shares.push(sum);
  }
  return shares.map((share) => share / sum);
}

/** The time by which such a share of the season has happened. */
function timeOf(shares, share, now) {
  const day = Math.max(0, shares.findIndex((upTo) => share <= upTo));
  const before = shares[day - 1] ?? 0;
  const within = (share - before) / (shares[day] - before);
  return Math.round(now - (DAYS - day - within) * DAY_MS);
}
