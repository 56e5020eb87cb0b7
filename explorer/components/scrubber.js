// A slider over the ticks of a scrub group, with a button that plays them. Plots hear of its place through the window, so
// that a tick costs no trip to the server; the server is told once, when the visitor has let go.

const scrubbers = new WeakMap(); // the element Streamlit gave us -> its scrubber
const PLAYING = { least: 60, most: 400, whole: 6000 }; // milliseconds a tick, and what all ticks together should take
const REST = 300; // milliseconds without a move after which the visitor has let go
const GRACE = 1000; // milliseconds at the end for which the button still says Pause: who reaches for it then begins nothing anew
const PLAY = "M8 5v14l11-7z", PAUSE = "M6 5h4v14H6zM14 5h4v14h-4z";

function part(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

class Scrubber {
  constructor(parent) {
    this.parent = parent;
    this.told = []; // ticks that the server was told and has not answered yet
    this.node = part("div", "ked-scrubber", parent);
    this.button = part("button", "", this.node);
    this.button.type = "button";
    this.button.innerHTML = '<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><path fill="currentColor"/></svg>';
    this.range = part("input", "", this.node);
    Object.assign(this.range, { type: "range", min: 0, step: 1 });
    this.label = part("output", "", this.node);
    // A press means what the button said when it began, whatever came of the playing until it is let go; a key has no pointer.
    this.button.addEventListener("pointerdown", () => { this.meantToPause = Boolean(this.playing); });
    this.button.addEventListener("click", ({ detail }) => {
      const pausing = detail ? this.meantToPause : this.playing;
      if (pausing) this.pause();
      else this.play();
    });
    this.range.addEventListener("input", () => { this.pause(); this.go(Number(this.range.value)); this.settle(); });
    this.drawButton();
  }

  // The server's value counts when it is news: not when it only repeats, perhaps late, what the visitor chose here.
  show(data, send) {
    const here = this.follows ? "" : this.name;
    const answered = this.told.lastIndexOf(data.value);
    const ordered = answered < 0 && data.value !== this.data?.value;
    this.told.splice(0, answered + 1);
    if (this.data && this.data.group !== data.group) this.leave();
    Object.assign(this, { data, send });
    this.range.max = data.ticks.length - 1;
    this.range.setAttribute("aria-label", data.label);
    this.range.title = data.help;
    this.node.hidden = data.ticks.length < 2;
    const place = data.ticks.findIndex(({ name }) => name === (ordered ? data.value : here));
    this.go(place < 0 ? data.ticks.length - 1 : place);
  }

  get follows() {
    return this.at === this.data?.ticks.length - 1;
  }

  get name() {
    return this.data?.ticks[this.at]?.name;
  }

  go(at) {
    this.at = at;
    const { group, ticks } = this.data;
    const text = ticks[at]?.label ?? "";
    this.range.value = at;
    this.range.style.setProperty("--share", `${(100 * at) / Math.max(ticks.length - 1, 1)}%`);
    this.range.setAttribute("aria-valuetext", text);
    this.label.textContent = text;
    const before = window.kedScrub?.[group], names = ticks.map(({ name }) => name);
    if (before?.at === at && `${before.ticks}` === `${names}`) return;
    window.kedScrub = { ...window.kedScrub, [group]: { ticks: names, at } };
    window.dispatchEvent(new CustomEvent("ked-scrub", { detail: group }));
  }

  play() {
    clearInterval(this.playing);
    if (this.follows) this.go(0);
    const pace = PLAYING.whole / this.data.ticks.length;
    this.playing = setInterval(() => this.step(), Math.min(Math.max(pace, PLAYING.least), PLAYING.most));
    this.drawButton();
  }

  step() {
    if (!this.follows) return this.go(this.at + 1);
    clearInterval(this.playing);
    this.playing = setTimeout(() => this.pause(), GRACE);
  }

  pause() {
    if (!this.playing) return;
    clearInterval(this.playing);
    this.playing = undefined;
    this.drawButton();
    this.settle();
  }

  drawButton() {
    const words = this.playing ? "Pause" : "Replay";
    this.button.querySelector("path").setAttribute("d", this.playing ? PAUSE : PLAY);
    this.button.setAttribute("aria-label", words);
    this.button.title = words;
  }

  settle() {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.tell(), REST);
  }

  // The newest tick is told as "": whoever stands there goes on with the training.
  tell() {
    const tick = this.follows ? "" : this.name;
    if (this.playing || tick === (this.told.at(-1) ?? this.data.value)) return;
    this.told.push(tick);
    this.send("tick", tick);
  }

  leave() {
    const { [this.data.group]: _, ...others } = window.kedScrub ?? {};
    window.kedScrub = others;
  }

  remove() {
    clearInterval(this.playing);
    clearTimeout(this.rest);
    this.leave();
    this.node.remove();
    scrubbers.delete(this.parent);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const scrubber = scrubbers.get(parentElement) ?? new Scrubber(parentElement);
  scrubbers.set(parentElement, scrubber);
  scrubber.show(data, setTriggerValue);
  return () => scrubber.remove();
}
