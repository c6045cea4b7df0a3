// Puts children in order, and leaves where they are those that stay and come in the order that they have: taken out and put in again, as
// those that change places are, an element loses the focus, and what marks it as new begins anew.

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
