/** Has the platform report what a listener threw, as it does for a listener to events: it is no failure of what is listened to. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Calls a listener that is nobody's business but its own. */
export function notify<Values extends unknown[]>(listener: ((...values: Values) => unknown) | undefined, ...values: Values): void {
  try {
    const result = listener?.(...values);
    if (isThenable(result)) result.then(undefined, report);
  } catch (error) {
    report(error);
  }
}

/** Whether somebody has to be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { readonly then?: unknown }).then === "function";
}
