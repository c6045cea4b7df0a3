import type { EverfoldErrorCode, Violation } from "../../dist/index.js";
import { EverfoldError, EventStore, isEverfoldError } from "../../dist/index.js";
import type { Equal } from "./equal.js";
import { same } from "./equal.js";

declare const error: unknown;

// A code narrows to its fields.
if (isEverfoldError(error, "WRONG_EXPECTED_REVISION")) {
  same<Equal<typeof error.violations, readonly Violation[]>>();
  same<Equal<typeof error.code, "WRONG_EXPECTED_REVISION">>();
  same<Equal<typeof error.retryable, boolean>>();
  // @ts-expect-error
  error.path;
}
if (isEverfoldError(error, "STORAGE_FAILED")) same<Equal<typeof error.outcome, "notWritten" | "unknown">>();
if (isEverfoldError(error, "STORAGE_UNAVAILABLE")) same<Equal<typeof error.cause, string>>();
// @ts-expect-error
isEverfoldError(error, "NO_SUCH_CODE");

// Without a code, the code itself narrows.
if (isEverfoldError(error)) {
  same<Equal<typeof error.code, EverfoldErrorCode>>();
  if (error.code === "LIMIT_EXCEEDED") same<Equal<typeof error.maximum, number>>();
}
if (error instanceof EverfoldError) same<Equal<typeof error.code, EverfoldErrorCode>>();

// A worker is not there yet.
await EventStore.open("bank", { worker: false });
// @ts-expect-error
await EventStore.open("bank", { worker: true });
// @ts-expect-error
new EventStore();
