// Plotly's bar of buttons as one stop of the Tab key: the arrows move inside it (ARIA's pattern of a toolbar).

const buttonsOf = (bar) => [...bar.querySelectorAll(".modebar-btn")];

function stopAt(buttons, here) {
  buttons.forEach((button) => { button.tabIndex = button === here ? 0 : -1; });
}

// Plotly makes the bar anew as it likes: called after each drawing.
function oneStop(node) {
  const bar = node.querySelector(".modebar");
  if (!bar || bar.querySelectorAll('[tabindex="0"]').length === 1) return;
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Tools of the figure");
  stopAt(buttonsOf(bar), bar.querySelector(".modebar-btn"));
}

function arrows(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const bar = event.target.closest?.(".modebar");
  if (!step || !bar) return;
  const buttons = buttonsOf(bar);
  const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
  stopAt(buttons, next);
  next.focus();
  event.preventDefault();
}
