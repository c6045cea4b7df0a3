// A poll: it shows the votes of all tabs, and casts some.
import type { EventStore } from "everfold";
import { answers, events, Votes } from "../poll.js";
import { useLive } from "./use-live.js";

type Store = EventStore<typeof events>;

export function App({ store }: { store: Store }) {
  const all = useLive(store.live(Votes, { query: { categories: ["votes"] } }));
  if (all.status === "error") return <p>{String(all.error)}</p>;
  return (
    <main>
      {answers.map((answer) => (
        <Answer key={answer} store={store} answer={answer} />
      ))}
      <p id="all">{all.status === "ready" ? all.value.state : "…"}</p>
    </main>
  );
}

function Answer({ store, answer }: { store: Store; answer: string }) {
  const stream = Votes.stream(answer);
  const votes = useLive(store.live(Votes, stream));
  return (
    <button id={answer} onClick={() => void store.execute(Votes, stream, "cast")}>
      {answer}: {votes.status === "ready" ? votes.value.state : "…"}
    </button>
  );
}
