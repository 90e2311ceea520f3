// What a page needs beyond HTML: the colour switch, the contents on a phone, copying code,
// and reaching by keyboard what scrolls sideways. Everything else works without a script.

const root = document.documentElement;

// Colours: as the system, light, dark; remembered.
const MODES = { auto: "as the system", light: "light", dark: "dark" };
const system = matchMedia("(prefers-color-scheme: dark)");
const modeButton = document.querySelector(".mode");

function showMode(mode) {
  root.dataset.mode = mode;
  root.dataset.theme = mode === "auto" ? (system.matches ? "dark" : "light") : mode;
  modeButton.setAttribute("aria-label", "Colours: " + MODES[mode]);
  modeButton.title = "Colours: " + MODES[mode];
}
showMode(root.dataset.mode);
system.addEventListener("change", () => showMode(root.dataset.mode));
modeButton.addEventListener("click", () => {
  const modes = Object.keys(MODES);
  const mode = modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length];
  try { localStorage.setItem("mode", mode); } catch { /* a private window: not remembered */ }
  showMode(mode);
});

// The contents, on narrow screens.
const menu = document.querySelector(".menu");
function openContents(open) {
  menu.setAttribute("aria-expanded", String(open));
  root.classList.toggle("contents-open", open);
}
menu.addEventListener("click", () => openContents(menu.getAttribute("aria-expanded") !== "true"));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && root.classList.contains("contents-open")) {
    openContents(false);
    menu.focus();
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const field = [...document.querySelectorAll("input[name=q]")].find((f) => f.offsetParent);
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
});

// Copying code.
if (navigator.clipboard) {
  for (const block of document.querySelectorAll("article .highlight:not(.cell_output .highlight)")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("pre").innerText.trimEnd());
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.append(button);
  }
}

// What is wider than the page scrolls, and must be reachable by keyboard.
const wide = document.querySelectorAll("article pre, .formula, .table, .contents, .outline");
function markScrollers() {
  // all is measured before anything is written: one layout, not one for each box
  const scrolls = [...wide].map((box) =>
    box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1);
  wide.forEach((box, i) => {
    if (scrolls[i]) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
}
new ResizeObserver(markScrollers).observe(document.body);
for (const details of document.querySelectorAll("details")) {
  details.addEventListener("toggle", markScrollers);
}

// The outline shows where one is.
const places = new Map();
for (const link of document.querySelectorAll(".outline a")) {
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (target) places.set(target, link);
}
if (places.size) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) places.get(entry.target).dataset.seen = entry.isIntersecting;
    const first = [...places.values()].filter((link) => link.dataset.seen === "true").at(-1);
    for (const link of places.values()) link.classList.toggle("here", link === first);
  }, { rootMargin: "-80px 0px -60% 0px" });
  for (const target of places.keys()) seen.observe(target);
}
