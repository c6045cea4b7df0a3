// What the bindings show: a poll, of which each answer is a stream.
import { defineAggregate, defineEvents, eventType } from "everfold";

export const answers = ["tea", "coffee", "water"];

export const events = defineEvents({ VoteCast: eventType() });

/** The votes for one answer; of a query, for all that it lets through. */
export const Votes = defineAggregate({
  name: "votes",
  category: "votes",
  events,
  initial: () => 0,
  evolve: { VoteCast: (count) => count + 1 },
  decide: (_: "cast") => ({ type: "VoteCast" }),
});
