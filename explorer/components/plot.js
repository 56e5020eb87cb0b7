// Draws one plotly figure into one DOM node that stays: Streamlit calls `default` again whenever data or theme change.

const plots = new WeakMap(); // the element Streamlit gave us, and ours in it -> the plot

// What is in view is drawn first.
function comesIntoView(node) {
  if (node.getBoundingClientRect().top < window.innerHeight) return undefined;
  return new Promise((resolve) => (window.requestIdleCallback ?? setTimeout)(resolve, { timeout: 1000 }));
}

// The figure names Streamlit's CSS variables as colours; plotly needs their values.
function parseFigure(json, element) {
  const style = getComputedStyle(element);
  const value = (_, name) => style.getPropertyValue(name).trim().replaceAll('"', "'") || "#888";
  return JSON.parse(json.replace(/var\((--st-[\w-]+)\)/g, value));
}

const isGroup = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !("bdata" in value);

// Where the page's letters are larger, as in a presentation, those of figures are, too, and figures with them.
const letters = () => Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);

function enlarged(value, by, name = "") {
  if (Array.isArray(value)) return value.map((one) => enlarged(one, by, name));
  if (!isGroup(value)) return value;
  const grown = ([key, one]) => [key, typeof one === "number" && (name === "margin" || (key === "size" && /font$/.test(name))) ? one * by : enlarged(one, by, key)];
  return Object.fromEntries(Object.entries(value).map(grown));
}

// A frame laid over a figure, attribute by attribute; lists and arrays as a whole. Nothing of the figure is changed.

function laidOver(base, changes) {
  const result = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    result[name] = isGroup(value) && isGroup(base[name]) ? laidOver(base[name], value) : value;
  }
  return result;
}

// The frame at the group's tick, or the latest before it; at the newest tick and without a scrubber the last one, which may have
// come before the scrubber hears of its tick. What has no frame so early is shown as it first was, and `early`.
function frameAt(frames, group) {
  const { ticks, at } = window.kedScrub?.[group] ?? { ticks: [], at: -1 };
  if (at === ticks.length - 1) return { frame: frames.at(-1) };
  for (let i = at; i >= 0; i -= 1) {
    const frame = frames.findLast(({ name }) => name === ticks[i]);
    if (frame) return { frame };
  }
  return { frame: frames[0], early: true };
}

function atTick({ frames, ...figure }, group) {
  if (!group || !frames?.length) return { figure: { ...figure, frames } };
  const { frame, early } = frameAt(frames, group);
  const data = [...figure.data];
  (frame.traces ?? []).forEach((place, i) => { data[place] = laidOver(data[place], frame.data[i]); });
  return { figure: { data, layout: laidOver(figure.layout, frame.layout ?? {}) }, frame, early };
}

const axesOf = (layout) => Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name) && layout[name].range);

// Plotly keeps a visitor's zoom only while the range that it replaced stays the same in new data. Ours follow the data: the
// range to go back to is brought up to date first. Whoever has gone back follows the data again.
function keepZoom(node, layout) {
  const full = node._fullLayout, kept = full?._preGUI;
  if (!kept || layout.uirevision !== full.uirevision) return;
  for (const axis of axesOf(layout)) {
    const paths = [0, 1].map((bound) => `${axis}.range[${bound}]`);
    if (!paths.every((path) => path in kept)) continue;
    const zoomed = paths.some((path, bound) => kept[path] !== full[axis].range[bound]);
    paths.forEach((path, bound) => {
      if (zoomed) kept[path] = layout[axis].range[bound];
      else delete kept[path];
    });
  }
}

// Where a double click leads: to the range of the newest data.
function setHome(node, ranges) {
  for (const [axis, range] of ranges) {
    const full = node._fullLayout[axis];
    if (full) [full._rangeInitial0, full._rangeInitial1] = range;
  }
}

function describe(point) {
  const { curveNumber, pointNumber, x, y, z, customdata, data } = point;
  return {
    curve: curveNumber, name: data.name ?? null, point: plain(pointNumber),
    x: plain(x), y: plain(y), z: plain(z), customdata: plain(customdata),
  };
}

// Those that a page has no use for go; what saves a figure comes.
function settings(select, name) {
  const unused = ["toImage", "sendChartToCloud", "autoScale2d", "zoomIn2d", "zoomOut2d", ...(select.includes("select") ? [] : ["select2d", "lasso2d"])];
  const save = savings(name).map((one) => ({ ...one, icon: one.icon() }));
  return { displaylogo: false, modeBarButtonsToRemove: unused, modeBarButtonsToAdd: save, showTips: false };
}

// Figures far from the view wait until it comes near: whoever watches a training pays for what they see.
const watcher = new IntersectionObserver(
  (entries) => entries.forEach(({ target, isIntersecting }) => plots.get(target)?.comes(isIntersecting)),
  { rootMargin: "30%", scrollMargin: "30%" },
);

class Plot {
  constructor(parent) {
    this.parent = parent;
    this.frame = document.createElement("div");
    this.frame.className = "ked-figure";
    parent.append(this.frame);
    this.node = document.createElement("div");
    this.node.className = "ked-plot";
    this.frame.append(this.node);
    this.numbers = new Numbers(this.frame, this.node);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.node);
    plots.set(this.frame, this);
    watcher.observe(this.frame);
    this.heed = ({ detail }) => detail === this.data.group && this.refresh();
    window.addEventListener("ked-scrub", this.heed);
    this.print = () => this.comes(true);
    window.addEventListener("beforeprint", this.print);
  }

  show(data, send) {
    Object.assign(this, { data, send, parsed: undefined });
    this.node.style.height ||= `${data.height}px`; // the figure that is there stays as high until the new one is drawn
    this.node.setAttribute("role", "img");
    this.node.setAttribute("aria-label", data.alt);
    this.numbers.name(data.alt, data.name);
    this.refresh();
  }

  comes(near) {
    this.near = near;
    if (near && this.stale) this.refresh();
  }

  // Whether anybody can see what is drawn. The first time a figure is drawn wherever it is, when there is time.
  get wanted() {
    return this.near || !this.listening;
  }

  refresh() {
    this.stale = true;
    this.node.setAttribute("aria-busy", "true");
    if (!this.wanted || this.drawing) return;
    this.drawing = true;
    this.draw().catch((error) => {
      this.drawing = false;
      this.node.textContent = error.message;
    });
  }

  // Data that arrive while a figure is being drawn, or while the visitor drags, are drawn afterwards: only the newest.
  async draw() {
    this.waiting = !window.Plotly;
    this.sketch();
    const Plotly = await loadLibrary(this.data.library).catch((error) => { this.sketched?.remove(); throw error; });
    if (!this.listening) await comesIntoView(this.node);
    while (this.stale && this.wanted && !this.gone) {
      if (this.node._dragging) {
        await new Promise(requestAnimationFrame);
        continue;
      }
      this.stale = false;
      this.parse();
      const height = this.fit();
      const { figure, frame, early } = atTick(this.parsed, this.data.group);
      this.node.style.opacity = early ? 0.3 : 1;
      if (this.isShown(this.parsed, frame, height, this.node.offsetWidth)) continue;
      // Plotly writes zoom and hidden traces into what it is given: not into what the next tick starts from.
      figure.data = figure.data.map((trace) => ({ ...trace }));
      figure.layout = { ...structuredClone(figure.layout), autosize: true, height };
      delete figure.layout.width;
      if (this.node.offsetWidth < figure.layout.meta?.lettered) {
        figure.layout.annotations = [];
        for (const trace of figure.data) delete trace.texttemplate;
      }
      // A finger scrolls the page; on touch screens zooming is left to the buttons.
      if (matchMedia("(pointer: coarse)").matches) figure.layout.dragmode = false;
      keepZoom(this.node, figure.layout);
      const ranges = axesOf(figure.layout).map((axis) => [axis, [...figure.layout[axis].range]]);
      // Plotly takes its time over a configuration, also over one that it has: ours depends on the component alone.
      const config = this.listening ? undefined : settings(this.data.select, this.data.name);
      await Plotly.react(this.node, { ...figure, config });
      setHome(this.node, ranges);
      this.waiting = false;
      this.sketched?.remove();
      this.listen();
      oneStop(this.node);
      this.numbers.follow();
    }
    this.drawing = false; // at once: what comes between the last look at `stale` and the promise's end would be forgotten
    this.node.setAttribute("aria-busy", String(this.stale));
  }

  parse() {
    this.letters = letters();
    this.parsed ??= this.letters > 1 ? enlarged(parseFigure(this.data.figure, this.parent), this.letters) : parseFigure(this.data.figure, this.parent);
  }

  // What can be shown without the library, until that has drawn.
  sketch() {
    if (!this.waiting) return;
    this.parse();
    this.sketched?.remove();
    this.sketched = sketch(this.frame, this.parsed, this.node.offsetWidth, this.fit());
  }

  // Whether these make the picture that is there: a training's clock moves all figures, and most have nothing new each time.
  isShown(...made) {
    const same = this.listening && made.every((part, i) => part === this.made[i]);
    this.made = made;
    return same;
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
    this.node.addEventListener("keydown", arrows);
    this.node.on("plotly_click", (event) => this.report("click", event.points.slice(0, 1)));
    this.node.on("plotly_selected", (event) => event && this.report("select", event.points));
    this.node.on("plotly_deselect", () => this.report("select", []));
  }

  // The number tells Python a new click on the same point from a rerun that shows the old one again.
  report(kind, points) {
    if (!this.data.select.includes(kind)) return;
    const id = `${Date.now()}-${Math.random()}`;
    this.send("event", { id, event: kind, points: points.map(describe) });
  }

  // A figure that names its aspect, height for width, is no higher than its width asks for. Returns its pixels.
  fit() {
    const { aspect, room } = this.parsed?.layout.meta ?? {};
    const wanted = aspect && this.node.offsetWidth ? Math.ceil(this.node.offsetWidth * aspect + room) : Infinity;
    const height = Math.min(this.data.height * (this.letters ?? 1), wanted);
    this.node.classList.toggle("ked-fitted", height !== this.data.height);
    this.node.style.height = `${height}px`;
    return height;
  }

  resize() {
    if (this.node.offsetWidth === 0) return;
    if (!this.listening) return void this.sketch();
    const before = this.node.style.height;
    this.fit();
    if (this.node.style.height !== before || this.parsed?.layout.meta?.lettered) this.refresh();
    else window.Plotly.Plots.resize(this.node).catch(() => {});
  }

  remove() {
    this.gone = true;
    this.observer.disconnect();
    watcher.unobserve(this.frame);
    window.removeEventListener("beforeprint", this.print);
    window.removeEventListener("ked-scrub", this.heed);
    if (this.listening) window.Plotly.purge(this.node);
    this.frame.remove();
    plots.delete(this.parent);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const plot = plots.get(parentElement) ?? new Plot(parentElement);
  plots.set(parentElement, plot);
  plot.show(data, setStateValue);
  return () => plot.remove();
}
