// Puts children in order and leaves in their place those that stay and come in the order that they have: out and in again, an element loses the focus, and
// what marks it as new begins anew. That is so of those that change places: they are taken out and put in again.

/**
 * Gives a place these children and no others.
 *
 * @param {Element} place
 * @param {Element[]} children
 */
export function arrange(place, children) {
  const wanted = new Set(children);
  for (const child of [...place.children]) if (!wanted.has(child)) child.remove();
  let next = place.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else place.insertBefore(child, next);
  }
}
