// What a page needs beyond HTML: the colour switch, the contents on a phone, copying code, reaching
// by keyboard what scrolls sideways, paper, the place where one was. All else works without a script.

const root = document.documentElement;

function remembered(key) {
  try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
}
function remember(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* a private window */ }
}

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
  // the page behind it cannot be seen, so the keyboard does not go there
  for (const part of document.querySelectorAll("main, .outline, .foot")) part.inert = open;
}
matchMedia("(min-width: 56.01rem)").addEventListener("change", () => openContents(false));
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

// Searching while one types; what it needs is fetched when a field is first used.
for (const form of document.querySelectorAll("form.find")) {
  const field = form.querySelector("input");
  const own = form.querySelector(".found"); // below the field in the bar
  const box = own ?? document.getElementById("found");
  let search = null;
  const look = async () => {
    search ??= import(new URL(root.dataset.search, location));
    const { show } = await search;
    if (own) own.hidden = !field.value.trim();
    else history.replaceState(null, "", "?q=" + encodeURIComponent(field.value));
    await show(field.value, box, own ? 8 : 40);
  };
  field.addEventListener("focus", () => (search ??= import(new URL(root.dataset.search, location))));
  field.addEventListener("input", look);
  if (own) {
    form.addEventListener("focusout", ({ relatedTarget }) => {
      if (!form.contains(relatedTarget)) own.hidden = true;
    });
    form.addEventListener("keydown", (event) => {
      const stops = [field, ...own.querySelectorAll("a")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && !own.hidden) {
        event.preventDefault();
        stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
      } else if (event.key === "Escape") {
        own.hidden = true;
        field.focus();
      }
    });
  } else {
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    form.addEventListener("submit", (event) => event.preventDefault());
    if (field.value) look();
    else field.focus();
  }
}

// Copying code.
if (navigator.clipboard) {
  for (const block of document.querySelectorAll(".highlight:not(.cell_output .highlight)")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const lines = block.querySelector("pre").innerText.trimEnd().split("\n");
      // of a session at Python's prompt, what was typed
      const typed = lines.filter((line) => /^(>>>|\.\.\.)( |$)/.test(line)).map((line) => line.slice(4));
      await navigator.clipboard.writeText((typed.length ? typed : lines).join("\n"));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.append(button);
  }
}

// What is wider than the page scrolls, and must be reachable by keyboard.
// What lies in a fold is looked at when the fold is opened: to measure it would lay it out before.
const shown = new Set();
function markScrollers() {
  // all is measured before anything is written: one layout, not one for each box
  const boxes = [...shown].map((box) =>
    [box, box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1]);
  for (const [box, scrolls] of boxes) {
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
const unfolded = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) shown[isIntersecting ? "add" : "delete"](target);
  markScrollers();
}, { rootMargin: "10000000px" });
for (const box of document.querySelectorAll("pre, .formula, .table, .contents, .outline")) unfolded.observe(box);
new ResizeObserver(markScrollers).observe(document.body);

// On paper nothing can be unfolded.
const folds = document.querySelectorAll("article details");
addEventListener("beforeprint", () => {
  for (const fold of folds) {
    fold.dataset.open = fold.open;
    fold.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const fold of folds) fold.open = fold.dataset.open === "true";
});

// A linked term or source is explained beside the link, for as long as one points at either.
let card = null;
function showCard(link, words) {
  hideCard();
  card = document.createElement("div");
  card.className = "explanation";
  card.id = "explanation";
  card.setAttribute("role", "tooltip");
  card.append(words.content.cloneNode(true));
  link.setAttribute("aria-describedby", "explanation");
  card.link = link;
  const main = document.querySelector("main");
  main.append(card);
  const [line] = link.getClientRects();
  const origin = main.getBoundingClientRect();
  const left = Math.max(16, Math.min(line.left, innerWidth - card.offsetWidth - 16));
  const below = line.bottom + card.offsetHeight + 8 < innerHeight;
  const top = below ? line.bottom + 2 : line.top - card.offsetHeight - 2;
  card.style.left = left - origin.left + "px";
  card.style.top = top - origin.top + "px";
  card.addEventListener("pointerleave", () => leave());
  card.addEventListener("pointerenter", () => clearTimeout(leaving));
}
function hideCard() {
  card?.link.removeAttribute("aria-describedby");
  card?.remove();
  card = null;
}
let coming, leaving;
const leave = () => {
  clearTimeout(coming);
  leaving = setTimeout(hideCard, 250);
};
for (const link of document.querySelectorAll("article a[href*='#']")) {
  const words = document.getElementById("card-" + decodeURIComponent(link.hash.slice(1)));
  if (!words) continue;
  link.addEventListener("pointerenter", ({ pointerType }) => {
    if (pointerType === "touch") return; // a tap follows the link
    clearTimeout(leaving);
    coming = setTimeout(showCard, 200, link, words);
  });
  link.addEventListener("pointerleave", leave);
  link.addEventListener("focus", () => link.matches(":focus-visible") && showCard(link, words));
  link.addEventListener("blur", hideCard);
}
addEventListener("keydown", ({ key }) => key === "Escape" && hideCard());

// The outline shows where one is, and the browser keeps it for the next visit; nothing is sent.
const here = location.pathname;
const places = new Map();
for (const link of document.querySelectorAll(".outline a, .folded-outline a")) {
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (target) places.set(target, [...(places.get(target) ?? []), link]);
}
if (places.size) {
  const inSight = new Set();
  const last = remembered("place:" + here);
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) inSight[isIntersecting ? "add" : "delete"](target);
    const current = [...places.keys()].filter((target) => inSight.has(target)).at(-1);
    for (const [target, links] of places) {
      for (const link of links) link.classList.toggle("here", target === current);
    }
    if (current && scrollY > innerHeight) {
      remember("place:" + here, { hash: "#" + current.id, name: places.get(current)[0].textContent });
    }
  }, { rootMargin: "-80px 0px -60% 0px" });
  for (const target of places.keys()) seen.observe(target);
  if (last && !location.hash && scrollY < innerHeight) offer(last);
}

// How much of a chapter's exercise was done in its page.
for (const box of document.querySelectorAll("[data-exercise]")) {
  let done = null;
  try { done = localStorage.getItem("unrolled:done:" + box.dataset.exercise); } catch { /* a private window */ }
  if (!done || done.startsWith("0")) continue;
  const words = document.createElement("p");
  words.textContent = `✓ Done in this browser: ${done} exercises.`;
  box.querySelector(".launch").before(words);
}

function offer({ hash, name }) {
  const link = document.createElement("a");
  link.href = hash;
  link.textContent = "Go on where you were: " + name;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  const bar = document.createElement("nav");
  bar.className = "go-on";
  bar.setAttribute("aria-label", "Where you were");
  bar.append(link, close);
  const remove = () => bar.remove();
  link.addEventListener("click", remove);
  close.addEventListener("click", remove);
  addEventListener("scroll", () => scrollY > innerHeight && remove(), { passive: true });
  document.querySelector("main").append(bar);
}
