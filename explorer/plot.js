// Draws one plotly figure into one DOM node that stays: Streamlit calls `default` again whenever data or theme change.

let library; // one promise for the page, however many figures it has
const plots = new WeakMap(); // the element Streamlit gave us -> its plot

function loadPlotly(source) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      library = undefined; // the next figure tries again
      script.remove();
      reject(new Error("The chart library did not load: check that the app serves its static folder, then reload."));
    };
    document.head.append(script);
  });
  return library;
}

// The figure names Streamlit's CSS variables as colours; plotly needs their values.
function parseFigure(json, element) {
  const style = getComputedStyle(element);
  const value = (_, name) => style.getPropertyValue(name).trim().replaceAll('"', "'") || "#888";
  return JSON.parse(json.replace(/var\((--st-[\w-]+)\)/g, value));
}

const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value) ?? null;

function describe(point) {
  const { curveNumber, pointNumber, x, y, z, customdata, data } = point;
  return {
    curve: curveNumber, name: data.name ?? null, point: plain(pointNumber),
    x: plain(x), y: plain(y), z: plain(z), customdata: plain(customdata),
  };
}

function settings(select, name) {
  const unused = ["autoScale2d", "zoomIn2d", "zoomOut2d", ...(select.includes("select") ? [] : ["select2d", "lasso2d"])];
  const picture = { format: "svg", filename: name };
  return { displaylogo: false, modeBarButtonsToRemove: unused, showTips: false, toImageButtonOptions: picture };
}

class Plot {
  constructor(parent) {
    this.parent = parent;
    this.node = document.createElement("div");
    this.node.className = "ked-plot";
    parent.append(this.node);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.node);
  }

  show(data, send) {
    Object.assign(this, { data, send, stale: true });
    this.node.style.height = `${data.height}px`;
    this.node.setAttribute("role", "img");
    this.node.setAttribute("aria-label", data.alt);
    this.drawing ??= this.draw()
      .catch((error) => { this.node.textContent = error.message; })
      .finally(() => { this.drawing = undefined; });
  }

  // Data that arrive while a figure is being drawn, or while the visitor drags, are drawn afterwards: only the newest.
  async draw() {
    const Plotly = await loadPlotly(this.data.source);
    while (this.stale && !this.gone) {
      if (this.node._dragging) {
        await new Promise(requestAnimationFrame);
        continue;
      }
      this.stale = false;
      const figure = parseFigure(this.data.figure, this.parent);
      delete figure.layout.width;
      Object.assign(figure.layout, { autosize: true, height: this.data.height });
      // A finger scrolls the page; on touch screens zooming is left to the buttons.
      if (matchMedia("(pointer: coarse)").matches) figure.layout.dragmode = false;
      await Plotly.react(this.node, { ...figure, config: settings(this.data.select, this.data.name) });
      this.listen();
    }
  }

  listen() {
    if (this.listening) return;
    this.listening = true;
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

  resize() {
    if (this.listening && this.node.offsetWidth > 0) window.Plotly.Plots.resize(this.node).catch(() => {});
  }

  remove() {
    this.gone = true;
    this.observer.disconnect();
    if (this.listening) window.Plotly.purge(this.node);
    this.node.remove();
    plots.delete(this.parent);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const plot = plots.get(parentElement) ?? new Plot(parentElement);
  plots.set(parentElement, plot);
  plot.show(data, setStateValue);
  return () => plot.remove();
}
