// The head of each page: its name, the way to the others, and the switch of the theme.

import { drawing, element } from "./element.js";

const PAGES = [
  ["session.html", "Session"],
  ["shop.html", "Shop"],
  ["orders.html", "Orders"],
  ["log.html", "Log"],
  ["audit.html", "Audit"],
  ["figures.html", "Figures"],
];

const THEME_KEY = "everfold-demo-theme";
const MOON = "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z";
const SUN = "M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM12 1v3M12 20v3M1 12h3M20 12h3M4.2 4.2l2.1 2.1M17.7 17.7l2.1 2.1M4.2 19.8l2.1-2.1M17.7 6.3l2.1-2.1";

function showNav(place) {
  const here = location.pathname.split("/").at(-1) || "index.html";
  const links = PAGES.map(([address, label]) =>
    element("li", {}, element("a", { href: address, "aria-current": address === here && "page" }, label)),
  );
  place.replaceChildren(
    element("a.brand", { href: "./", "aria-current": here === "index.html" && "page" }, element("img", { src: "icon.svg", alt: "", width: 28, height: 28 }), "everfold"),
    element("nav", { "aria-label": "Pages" }, element("ul", {}, ...links)),
    themeSwitch(),
  );
}

/** A button that is pressed where the page is dark. */
function themeSwitch() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = element("button.theme", { type: "button", "aria-label": "Dark theme", title: "Dark theme" });
  const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const draw = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    const path = drawing("path", { d: isDark() ? MOON : SUN, fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" });
    button.replaceChildren(drawing("svg", { viewBox: "0 0 24 24", width: 20, height: 20, "aria-hidden": "true" }, path));
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    draw();
  });
  system.addEventListener("change", draw);
  // Chosen in one tab, it holds in all.
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== THEME_KEY || newValue === null) return;
    root.dataset.theme = newValue;
    draw();
  });
  draw();
  return button;
}

function remember(theme) {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Where nothing may be kept, the choice holds as long as the page.
  }
}

showNav(document.getElementById("top"));
