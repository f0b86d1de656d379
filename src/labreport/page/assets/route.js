/**
 * What is open stands in the address, after the `#`: `#v12`, `#page=3`, `#claims`. So each state has a link, and
 * the browser's back button works; one listener (in main.js) follows it.
 */
export function go(hash) {
  noted(hash);
  // which the browser tells of only where the reader followed a link
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Let the address name what is shown already, so that the browser leads back to it. */
export function noted(hash) {
  if (location.hash !== hash) history.pushState(null, "", hash);
}

/** Return the target that an address names: `{id}`, `{page, y}`, `{tab}` or another name with its text. */
export function targetOf(hash) {
  const text = hash.slice(1);
  if (!text.includes("=")) return { id: text };
  const found = new URLSearchParams(text);
  return Object.fromEntries([...found].map(([name, value]) => [name, /^(page|y)$/.test(name) ? +value : value]));
}

/** Return the address of a place or of a named thing that is on no page. */
export const hashOf = (target) => `#${new URLSearchParams(target)}`;

/** Return the address of a thing. */
export const hashOfThing = (thing) => `#${thing.id}`;
