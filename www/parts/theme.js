// Sets the theme that was chosen before anything is drawn. A classic script, because modules run too late for that.

"use strict";

try {
  const theme = localStorage.getItem("everfold-demo-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Where nothing may be kept, the theme is that of the system.
}
