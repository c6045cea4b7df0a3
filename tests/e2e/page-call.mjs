// How a function of a test runs in a page, and how what it gives or throws comes back.

/** The text of a function that runs `run` with one argument, and tells an outcome instead of throwing. */
export function callText(run) {
  return `async (argument) => {
    try {
      return { value: await (${run})(argument) };
    } catch (error) {
      const { name, message, stack } = error;
      return { error: JSON.parse(JSON.stringify({ ...error, name, message, stack, cause: String(error.cause ?? "") })) };
    }
  }`;
}

/** What the function gave; what it threw is thrown again, with the fields that it had. */
export function outcomeOf({ value, error }) {
  if (error === undefined) return value;
  const { message, stack, ...fields } = error;
  throw Object.assign(new Error(`in the page: ${error.name}: ${message}\n${stack}`), fields);
}
