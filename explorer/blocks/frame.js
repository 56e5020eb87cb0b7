// What every page's frame asks of the browser, once a tab.

// One gesture of the visitor is one step of the browser's Back. Streamlit makes a step of every change of the address: two for
// a turn to another page (first without its settings, which would be a wrong view to come back to), several for a drag, one
// for what a page corrects by itself. A change without a gesture since the last one belongs to the step that is there.
function makeOneStepAGesture() {
  let gesture = false;
  const note = (event) => { gesture ||= event.isTrusted && !event.repeat; };
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, note, { capture: true, passive: true });
  window.addEventListener("popstate", () => { gesture = false; }, { capture: true });
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  history.pushState = (...change) => {
    (gesture ? push : replace)(...change);
    gesture = false;
  };
}

// While a visitor types, Ctrl+Z takes letters back, as everywhere: it is not for the buttons that take settings back.
function leaveUndoToTextFields() {
  const typed = 'textarea, [contenteditable="true"], input:not([type=range], [type=checkbox], [type=radio], [type=button])';
  const guard = (event) => {
    const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (undo && event.target.matches?.(typed)) event.stopImmediatePropagation();
  };
  window.addEventListener("keydown", guard, { capture: true });
}

// On a narrow screen the menu of pages opens beside the focus: it goes along into the menu, and out of it again with Escape.
function letKeysIntoTheMenu() {
  const [menu, open, close] = ['[data-testid="stSidebar"]', '[data-testid="stExpandSidebarButton"]', '[data-testid="stSidebarCollapseButton"] button'];
  const focus = (selector, tries = 20) => {
    const found = document.querySelector(selector);
    if (found?.checkVisibility({ visibilityProperty: true })) found.focus();
    else if (tries) setTimeout(focus, 50, selector, tries - 1);
  };
  window.addEventListener("click", ({ target }) => {
    if (target.closest?.(open)) focus(`${menu} a`);
  }, { capture: true });
  window.addEventListener("keydown", ({ key, target }) => {
    if (key !== "Escape" || !target.closest?.(menu)) return;
    document.querySelector(close)?.click();
    focus(open);
  });
}

// What is pressed may go away, or be switched off, with the focus on it: then it goes on to the first that the press brought
// of a step's title, its task and its answer, for keys and for those who hear the page.
function keepTheFocus() {
  const places = [".st-key-lesson-title h3", ".st-key-lesson-task p", '.st-key-lesson-answer [data-testid="stAlertContainer"]'].join();
  let pressed, before = new Set();
  const texts = () => [...document.querySelectorAll(places)].map((node) => node.textContent);
  const note = ({ target }) => {
    pressed = target.closest?.(".stMain button");
    before = new Set(texts());
  };
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, note, { capture: true, passive: true });
  new MutationObserver(() => {
    if (!pressed || (pressed.isConnected && !pressed.disabled)) return;
    if (![document.body, pressed].includes(document.activeElement)) return; // the visitor has gone on
    const next = [...document.querySelectorAll(places)].find((node) => !before.has(node.textContent));
    if (!next) return; // it is still to come
    pressed = undefined;
    next.tabIndex = -1;
    next.style.scrollMarginTop = "5rem"; // below the bar
    next.focus();
  }).observe(document.body, { attributeFilter: ["disabled"], childList: true, characterData: true, subtree: true });
}

// What a step is done with may stand far above the answer, which comes into view as soon as the hand lets go.
function bringTheAnswer() {
  const answer = () => document.querySelector(".st-key-lesson-answer");
  const step = () => document.querySelector(".st-key-lesson-title")?.textContent;
  let asked, held = false;
  const begin = ({ type }) => {
    held = type === "pointerdown";
    asked = answer() ? undefined : step();
  };
  const look = () => {
    if (!asked || held || !answer()) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (asked === step()) answer().scrollIntoView({ block: "nearest", behavior: still ? "instant" : "smooth" });
    asked = undefined;
  };
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, begin, { capture: true, passive: true });
  for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, () => { held = false; look(); }, { capture: true, passive: true });
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}

// Streamlit calls a control what its label is, signs of Markdown and all: those who hear it are spared them.
function callControlsPlainly() {
  const plain = (text) => text.replace(/:color\[[^\]]*\]\{[^}]*\} */g, "").replace(/\*\*(.+?)\*\*/g, "$1");
  const rename = () => {
    for (const node of document.querySelectorAll('[aria-label*=":color["], [aria-label*="**"]')) node.ariaLabel = plain(node.ariaLabel);
  };
  let due;
  new MutationObserver(() => { due ??= setTimeout(() => { due = undefined; rename(); }, 500); })
    .observe(document.body, { attributeFilter: ["aria-label"], childList: true, subtree: true });
  rename();
}

if (!window.kedFrame) {
  window.kedFrame = true;
  fetchLibrary(window.kedLibraryPath).catch(() => {}); // while the server still makes the first figures; those ask again
  makeOneStepAGesture();
  leaveUndoToTextFields();
  letKeysIntoTheMenu();
  keepTheFocus();
  bringTheAnswer();
  callControlsPlainly();
  explainWords(window.kedWords);
}
