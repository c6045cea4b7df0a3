// How a function of a test runs in a page, and how what it gives or throws comes back.

/**
 * The text of a function that runs `run` with one argument and tells the outcome instead of throwing. Both cross as
 * one JSON text: drivers are slow at values of many parts.
 */
export function callText(run) {
  return `async (argumentText) => {
    try {
      return JSON.stringify({ value: await (${run})(JSON.parse(argumentText)) });
    } catch (error) {
      const { name, message, stack } = error;
      return JSON.stringify({ error: { ...error, name, message, stack, cause: String(error.cause ?? "") } });
    }
  }`;
}

/** An argument as that function takes it. */
export function argumentText(argument) {
  return JSON.stringify(argument ?? null);
}

/** What the function gave; what it threw is thrown again, with the fields that it had. */
export function outcomeOf(text) {
  const { value, error } = JSON.parse(text);
  if (error === undefined) return value;
  const { message, stack, ...fields } = error;
  throw Object.assign(new Error(`in the page: ${error.name}: ${message}\n${stack}`), fields);
}
