import {byId} from "./dom.js";

const KEPT = "labreport-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };

/** Let the reader choose between light and dark, or leave it to the system; the choice is kept where it can be. */
export function startTheme() {
  set(kept());
  byId("theme").addEventListener("click", () => {
    const next = NEXT[document.documentElement.dataset.theme];
    set(next);
    keep(next);
  });
}

function set(theme) {
  document.documentElement.dataset.theme = theme;
  const own = byId("theme");
  own.setAttribute("aria-label", `Theme: ${theme}`);
  own.title = `Theme: ${theme}`;
}

function kept() {
  try {
    const found = localStorage.getItem(KEPT);
    return found in NEXT ? found : "auto";
  } catch {
    return "auto"; // a browser may give a page from the disk no storage
  }
}

function keep(theme) {
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // then it holds for this visit
  }
}
