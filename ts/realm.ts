// What is of another realm: each frame, window and context of a page has an `Object` and an `Array` of its own.

/** Whether it is the `Object.prototype` of any realm: what plain objects there have for their prototype. */
export function isObjectPrototype(prototype: unknown): boolean {
  if (prototype === Object.prototype) return true;
  if (typeof prototype !== "object" || prototype === null || Object.getPrototypeOf(prototype) !== null) return false;
  // What was made by `Object.create(null)` has no prototype either, and none of its own methods.
  return Object.hasOwn(prototype, "isPrototypeOf");
}

/** Whether it is the `Array.prototype` of any realm, which is an array itself. */
export function isArrayPrototype(prototype: unknown): boolean {
  return prototype === Array.prototype || (Array.isArray(prototype) && isObjectPrototype(Object.getPrototypeOf(prototype)));
}
