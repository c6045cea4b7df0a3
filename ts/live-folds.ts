// What users have of states that follow the log. What follows them is loaded by the first that is wanted.
import type { AnyAggregate } from "./aggregate.js";
import { checkAggregate } from "./aggregate.js";
import { BackOff } from "./back-off.js";
import type { Live, LiveState } from "./live.js";
import { LiveValues } from "./live.js";
import type { Loaded } from "./load.js";
import { LIVE_FOLDS } from "./parts.js";
import type { Session } from "./session.js";
import type { Source } from "./source.js";
import { checkSource } from "./source.js";

/** The live states of an open store: one for each aggregate and source. */
export class LiveFolds {
  readonly #session: Session;
  readonly #values = new WeakMap<AnyAggregate<unknown>, LiveValues>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** The live state of a stream or a query. */
  of<State>(aggregate: unknown, source: unknown): Live<Loaded<State>> {
    const checked = checkAggregate<State>(aggregate, "aggregate");
    const from = checkSource(source, checked, this.#session);
    const values = this.#values.get(checked) ?? new LiveValues();
    this.#values.set(checked, values);
    return values.of(keyOf(from), (tell) => follow(this.#session, checked, from, tell));
  }
}

/** Follows a state, as soon as there is what follows it: that is tried again and again, and why it is not there is told meanwhile. */
function follow<State>(session: Session, aggregate: AnyAggregate<State>, source: Source, tell: (state: LiveState<Loaded<State>>) => void): () => void {
  if (LIVE_FOLDS.code !== undefined) return LIVE_FOLDS.code.follow(session, aggregate, source, tell);
  const backOff = new BackOff();
  let isOver = false;
  let end = () => backOff.end();
  const begin = async () => {
    while (!isOver) {
      try {
        const code = await LIVE_FOLDS.load();
        if (!isOver) end = code.follow(session, aggregate, source, tell);
        return;
      } catch (error) {
        tell({ status: "error", error });
        await backOff.pause();
      }
    }
  };
  void begin();
  return () => {
    isOver = true;
    end();
  };
}

/** The same for queries that say the same. */
function keyOf(source: Source): string {
  if ("stream" in source) return source.stream;
  const items = source.query.map((item) => JSON.stringify(Object.entries(item).map(([list, names]) => [list, [...new Set(names)].sort()])));
  // No name of a stream begins with this.
  return `\0${items.sort().join()}`;
}
