// Whether the answers that writers got are borne out by the log that they left.

import assert from "node:assert/strict";

/** Positions and the revisions of each stream have neither gap nor repetition. */
export function checkLog(log) {
  const revisions = new Map();
  log.forEach(({ stream, revision, position }, index) => {
    assert.equal(position, index + 1);
    assert.equal(revision, (revisions.get(stream) ?? -1) + 1, `${stream} at position ${position}`);
    revisions.set(stream, revision);
  });
}

/** So many events were acknowledged. Each stands once, where it was said to be, behind the revision that was expected. */
export function checkAcknowledged(attempts, count, log) {
  const acknowledged = attempts.filter((attempt) => "position" in attempt);
  assert.equal(acknowledged.length, count);
  assert.equal(log.length, acknowledged.length);
  assert.equal(new Set(acknowledged.map(({ position }) => position)).size, log.length);
  for (const { writer, stream, number, expected, revision, position } of acknowledged) {
    assert.deepEqual(log[position - 1], { stream, revision, position, data: { writer, number } });
    assert.equal(revision, expected === "noStream" ? 0 : expected + 1);
  }
}

/**
 * Each refusal tells a revision that the stream had at some moment between the writer's append before it and the
 * one after it, and that was not the expected one.
 */
export function checkRefused(writer, attempts, log) {
  const positions = new Map(log.map(({ stream, revision, position }) => [`${stream} ${revision}`, position]));
  let before = 0;
  attempts.forEach((attempt, place) => {
    if ("position" in attempt) {
      before = attempt.position;
      return;
    }
    const { stream, expected, actual, violations } = attempt;
    const next = attempts.slice(place).find((later) => "position" in later).position;
    const reached = positions.get(`${stream} ${actual}`);
    const passed = positions.get(`${stream} ${actual + 1}`) ?? Infinity;
    const told = `${writer} was refused ${stream} at ${expected}, for it was at ${actual}`;
    assert.deepEqual(violations, [{ stream, expected, actual }], told);
    assert.notEqual(actual, expected, told);
    assert.ok(reached !== undefined, `${told}, which it never was`);
    assert.ok(reached < next, `${told}, which it became later`);
    assert.ok(before < passed, `${told}, which was over`);
  });
}
