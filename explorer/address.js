// One gesture of the visitor is one step of the browser's Back. Streamlit makes a step of every change of the address: two for
// a turn to another page (first without its settings, which would be a wrong view to come back to), several for a drag, one
// for what a page corrects by itself. A change without a gesture since the last one belongs to the step that is there.
if (!window.kedSteps) {
  window.kedSteps = { gesture: false };
  const note = (event) => { window.kedSteps.gesture ||= event.isTrusted && !event.repeat; };
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, note, { capture: true, passive: true });
  window.addEventListener("popstate", () => { window.kedSteps.gesture = false; }, { capture: true });
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history);
  history.pushState = (...change) => {
    (window.kedSteps.gesture ? push : replace)(...change);
    window.kedSteps.gesture = false;
  };
}
