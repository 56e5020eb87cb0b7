// A sheet to draw on with mouse, finger, pen or keyboard. Drawn is white on black, as data are; CSS turns it for light pages.

const boards = new WeakMap(); // the element Streamlit gave us -> its board
const FINE = 4; // canvas pixels for a pixel that is sent
const REST = 150; // milliseconds without a move after which an unfinished stroke is sent
const STEP = 0.04; // of the sheet: how far an arrow key moves the keyboard's pen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TOOLS = { pen: ["Pen", "Draws in the shade below."], eraser: ["Eraser", "Takes away what is drawn."] };
const KEYS = "Arrow keys move the pen, with Shift it draws, Delete clears.";

function part(tag, properties, parent) {
  const element = Object.assign(document.createElement(tag), properties);
  parent.append(element);
  return element;
}

function slider(label, title, low, high, value, parent) {
  const around = part("label", { textContent: label, title }, parent);
  return part("input", { type: "range", min: low, max: high, step: "any", value }, around);
}

class Board {
  constructor(parent) {
    this.parent = parent;
    this.node = part("div", { className: "ked-draw" }, parent);
    const sheet = part("div", { className: "ked-draw-sheet" }, this.node);
    this.canvas = part("canvas", { tabIndex: 0 }, sheet);
    this.mark = part("i", { hidden: true }, sheet); // where the keyboard's pen is
    part("p", { className: "ked-draw-keys", textContent: KEYS }, sheet);
    this.canvas.setAttribute("role", "application");
    this.pencil = this.canvas.getContext("2d", { willReadFrequently: true });
    const bar = part("div", { className: "ked-draw-tools" }, this.node);
    this.tools = Object.entries(TOOLS).map(([tool, [text, title]]) => {
      const button = part("button", { type: "button", textContent: text, title }, bar);
      button.addEventListener("click", () => this.take(tool));
      return [tool, button];
    });
    part("button", { type: "button", textContent: "Clear", title: "Empties the sheet." }, bar).addEventListener("click", () => this.clear());
    this.width = slider("Width", "How broad a stroke is; a pen that is pressed harder draws broader.", 0.03, 0.3, 0.09, bar);
    this.shade = slider("Shade", "How strong a stroke is.", 0.25, 1, 1, bar);
    this.take("pen");
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.end());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  show(data, send) {
    const fresh = this.version !== data.version || this.canvas.width !== data.columns * FINE || this.canvas.height !== data.rows * FINE;
    Object.assign(this, { data, send, version: data.version });
    this.canvas.setAttribute("aria-label", data.alt);
    this.node.classList.toggle("ked-draw-light", isLight(this.parent));
    if (fresh) this.paint(data);
  }

  // What the server has: an uploaded picture, or what was drawn here before the visitor looked at another page.
  paint({ rows, columns, pixels }) {
    Object.assign(this.canvas, { width: columns * FINE, height: rows * FINE });
    const small = document.createElement("canvas");
    Object.assign(small, { width: columns, height: rows });
    const image = new ImageData(columns, rows);
    [...atob(pixels)].forEach((letter, i) => image.data.set([...Array(3).fill(letter.charCodeAt(0)), 255], 4 * i));
    small.getContext("2d").putImageData(image, 0, 0);
    this.pencil.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
  }

  take(tool) {
    this.tool = tool;
    this.tools.forEach(([name, button]) => button.setAttribute("aria-pressed", String(name === tool)));
  }

  place({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    return [((clientX - box.left) * this.canvas.width) / box.width, ((clientY - box.top) * this.canvas.height) / box.height];
  }

  begin(event) {
    if (event.button > 0) return;
    this.mark.hidden = true;
    this.canvas.setPointerCapture(event.pointerId);
    this.at = this.place(event);
    this.line(this.at, event);
  }

  move(event) {
    if (!this.at || !event.buttons) return;
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const one of coalesced.length ? coalesced : [event]) this.line(this.place(one), one);
    this.settle(REST);
  }

  end() {
    if (this.at) this.settle(0);
    this.at = undefined;
  }

  // A pen that is pressed harder draws broader.
  line(to, { pointerType, pressure } = {}) {
    const { pencil } = this, grey = this.tool === "eraser" ? 0 : Math.round(255 * this.shade.value);
    const hand = pointerType === "pen" && pressure ? 0.5 + pressure : 1;
    Object.assign(pencil, { lineCap: "round", lineJoin: "round", strokeStyle: `rgb(${grey},${grey},${grey})` });
    pencil.lineWidth = hand * this.width.value * Math.max(this.canvas.width, this.canvas.height);
    pencil.beginPath();
    pencil.moveTo(...this.at);
    pencil.lineTo(...to);
    pencil.stroke();
    this.at = to;
  }

  // Arrows move a pen that draws while Shift is held; Delete clears.
  key(event) {
    const { width, height } = this.canvas, arrow = ARROWS[event.key];
    if (["Delete", "Backspace"].includes(event.key)) this.clear();
    else if (arrow) {
      const from = this.cursor ?? [width / 2, height / 2], reach = STEP * Math.max(width, height);
      this.cursor = [0, 1].map((axis) => Math.min(Math.max(from[axis] + reach * arrow[axis], 0), [width, height][axis]));
      this.mark.hidden = false;
      Object.assign(this.mark.style, { left: `${(100 * this.cursor[0]) / width}%`, top: `${(100 * this.cursor[1]) / height}%` });
      if (event.shiftKey) {
        this.at = from;
        this.line(this.cursor);
        this.at = undefined;
        this.settle(REST);
      }
    } else return;
    event.preventDefault();
  }

  clear() {
    this.pencil.fillStyle = "black";
    this.pencil.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.settle(0);
  }

  settle(after) {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.tell(), after);
  }

  tell() {
    const { rows, columns } = this.data, small = document.createElement("canvas");
    Object.assign(small, { width: columns, height: rows });
    const shrunk = small.getContext("2d", { willReadFrequently: true });
    shrunk.imageSmoothingQuality = "high";
    shrunk.drawImage(this.canvas, 0, 0, columns, rows);
    const { data } = shrunk.getImageData(0, 0, columns, rows);
    this.send("ink", btoa(String.fromCharCode(...data.filter((_, i) => i % 4 === 0))));
  }

  remove() {
    clearTimeout(this.rest);
    this.node.remove();
    boards.delete(this.parent);
  }
}

function isLight(element) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.fillStyle = getComputedStyle(element).getPropertyValue("--st-background-color").trim() || "white";
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return red + green + blue > 382;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const board = boards.get(parentElement) ?? new Board(parentElement);
  boards.set(parentElement, board);
  board.show(data, setTriggerValue);
  return () => board.remove();
}
