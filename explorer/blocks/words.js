// The field's words explain themselves where they stand: under the pointer or a finger, and the first of each on a page is
// underlined. Nothing of the page is changed for it: the lines are the browser's own highlights. What a press is for, a control's
// name or a fold's, explains itself under the pointer alone, and so do the letters of figures; a finger asks their titles.

function explainWords(table) {
  const TEXT = '[data-testid="stMarkdownContainer"], h1, h2, h3, figcaption, .ked-table :is(th, dt, .ked-table-heads)';
  const NONE = "button, a, input, code, .st-key-glossary *", PRESSED = `${NONE}, label, summary`;
  const LETTERS = ".main-svg text:not(.hoverlayer *)", TITLES = ".main-svg :is(.xtitle, .ytitle, .cbtitle text)";
  const key = (word) => (word.length > 2 ? word.toLowerCase() : word);
  const meanings = new Map(table.flatMap(([words, term, meaning]) => words.map((word) => [key(word), { term, meaning }])));
  const escaped = [...meanings.keys()].sort((a, b) => b.length - a.length).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(^|[^\\p{L}\\d-])((?:${escaped.join("|")})(?:e?s)?)(?![\\p{L}\\d])`, "giu");
  const meant = (word) => [word, word.replace(/s$/i, ""), word.replace(/es$/i, "")].map((form) => meanings.get(key(form))).find(Boolean);

  function* wordsOf(node) {
    for (const found of node.data.matchAll(pattern)) {
      const told = meant(found[2]);
      if (!told) continue;
      const range = document.createRange();
      range.setStart(node, found.index + found[1].length);
      range.setEnd(node, found.index + found[0].length);
      yield { range, told };
    }
  }

  function underline() {
    const seen = new Set(), ranges = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, around = node.parentElement;
      if (!around.closest(TEXT) || around.closest(`${PRESSED}, h1`)) continue;
      for (const { range, told } of wordsOf(node)) {
        if (!seen.has(told.term)) ranges.push(range);
        seen.add(told.term);
      }
    }
    CSS.highlights.set("ked-word", new Highlight(...ranges));
  }

  const note = document.createElement("div");
  note.className = "ked-word-note";
  note.setAttribute("role", "tooltip");
  document.body.append(note);
  const hide = () => { note.hidden = true; };
  hide();

  // What stands under the pointer: a word's box and its meaning, or a figure's text and those of all words in it.
  function under({ clientX: x, clientY: y, target, type }) {
    const holds = ({ left, right, top, bottom }) => left <= x && x <= right && top <= y && y <= bottom;
    const plot = target.closest?.(".ked-plot");
    if (plot) {
      const text = [...plot.querySelectorAll(type === "click" ? TITLES : LETTERS)].find((one) => holds(one.getBoundingClientRect()));
      const told = [...(text?.textContent ?? "").matchAll(pattern)].map((found) => meant(found[2])).filter(Boolean);
      return told.length ? { box: text.getBoundingClientRect(), told: [...new Set(told)] } : undefined;
    }
    const at = document.caretPositionFromPoint?.(x, y), node = at?.offsetNode ?? document.caretRangeFromPoint?.(x, y)?.startContainer;
    if (node?.nodeType !== Node.TEXT_NODE || !target.closest?.(TEXT) || target.closest(type === "click" ? PRESSED : NONE)) return undefined;
    for (const { range, told } of wordsOf(node)) {
      const box = [...range.getClientRects()].find(holds);
      if (box) return { box, told: [told] };
    }
    return undefined;
  }

  function show(event) {
    const found = under(event);
    if (!found) return hide();
    const { box, told } = found;
    note.replaceChildren(...told.map(({ term, meaning }) => {
      const line = document.createElement("div");
      line.append(Object.assign(document.createElement("b"), { textContent: term }), `: ${meaning}`);
      return line;
    }));
    note.style.colorScheme = getComputedStyle(event.target.closest(".stApp") ?? note).colorScheme; // the note stands beside the app
    note.hidden = false;
    const below = box.bottom + note.offsetHeight + 8 < window.innerHeight;
    note.style.top = `${below ? box.bottom + 6 : box.top - note.offsetHeight - 6}px`;
    note.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - note.offsetWidth - 8))}px`;
    return undefined;
  }

  let due, next;
  window.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    cancelAnimationFrame(next);
    next = requestAnimationFrame(() => show(event));
  }, { passive: true });
  window.addEventListener("click", show);
  for (const kind of ["scroll", "keydown"]) window.addEventListener(kind, hide, { capture: true, passive: true });
  if (!window.Highlight) return;
  new MutationObserver(() => { due ??= setTimeout(() => { due = undefined; underline(); }, 500); })
    .observe(document.body, { childList: true, characterData: true, subtree: true });
  underline();
}
