// States that nobody changes in place, as far as that can be held.

declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** Whether states are frozen. Bundlers write in its place what `process.env.NODE_ENV` is; where nobody does, nothing says so. */
function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== "production";
  } catch {
    return false;
  }
}

const FREEZES = isDevelopment();

/** In development, the value with every object and array in it frozen. What is frozen already was met before. */
export function frozen<Value>(value: Value): Value {
  if (FREEZES) freeze(value);
  return value;
}

/** The value with every object and array in it frozen. */
export function frozenAlways<Value>(value: Value): Value {
  freeze(value);
  return value;
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  // Of other kinds the contents could change all the same, or could not be frozen at all.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
