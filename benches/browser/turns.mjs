// Contestants that take turns where each turn needs a page of its own.

/** Rounds of one turn each; who begins changes. Gives the results of each. */
export async function inTurn(contestants, rounds, turn) {
  const results = Object.fromEntries(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    const start = round % contestants.length;
    for (const contestant of [...contestants.slice(start), ...contestants.slice(0, start)]) {
      results[contestant].push(await turn(contestant, round));
    }
    console.log(`round ${round + 1} of ${rounds}`);
  }
  return results;
}
