// A table's cells as text, for a screen that is too narrow for the grid: a plain table where that fits, else row by row.

const tables = new WeakMap(); // the element Streamlit gave us -> ours in it

const made = (tag, content = [], rest = {}) => {
  const node = Object.assign(document.createElement(tag), rest);
  node.append(...[content].flat());
  return node;
};

const cell = (told) => (Array.isArray(told) ? made("a", told[0], { href: told[1], target: "_blank" }) : told);

class Table {
  constructor(parent) {
    this.parent = parent;
    this.open = new Set();
    this.node = made("div", [], { className: "ked-table" });
    parent.append(this.node);
    // Where the grid is shown, or a fold hides both, this has no width and nothing is laid out.
    this.observer = new ResizeObserver(() => this.node.clientWidth !== this.width && this.draw());
    this.observer.observe(this.node);
  }

  show(data, send) {
    Object.assign(this, { data, send });
    const told = JSON.stringify(data);
    if (told === this.told) return;
    this.told = told;
    this.draw();
  }

  draw() {
    this.width = this.node.clientWidth;
    if (!this.width) return;
    const top = this.node.firstChild?.scrollTop ?? 0;
    this.fill(this.asTable());
    if (this.node.querySelector("table").offsetWidth > this.width) this.fill(this.asRows());
    this.node.firstChild.scrollTop = top;
  }

  fill(shown) {
    const box = made("div", shown, { className: "ked-table-box", tabIndex: 0, role: "group", ariaLabel: this.data.alt || "Table" });
    const { left } = this.data;
    this.node.replaceChildren(box, ...(left ? [made("p", `${left.toLocaleString("en")} more rows are shown on a wider screen.`)] : []));
  }

  marker(at) {
    const { marked, several, cells } = this.data;
    const box = made("input", [], { type: several ? "checkbox" : "radio", checked: marked.includes(at), ariaLabel: `Mark ${cells[at].flat()[0]}` });
    box.addEventListener("change", () => {
      const others = several ? marked.filter((row) => row !== at) : [];
      // The number tells Python a new wish from a rerun that repeats the old one.
      this.send("marks", { id: `${Date.now()}-${Math.random()}`, rows: box.checked ? [...others, at] : others });
    });
    return made("label", box);
  }

  asTable() {
    const { heads, cells, marked } = this.data;
    const line = (tag, told, mark) => made("tr", [...(marked ? [made(tag, mark)] : []), ...told.map((one) => made(tag, cell(one)))]);
    return made("table", [line("th", heads, ""), ...cells.map((row, at) => line("td", row, marked ? this.marker(at) : ""))]);
  }

  // The first two cells of each row, below their heads; opened, the others below them, each with its head. What is empty is not said.
  asRows() {
    const { heads, cells, marked } = this.data;
    const rows = cells.map((row, at) => {
      const rest = row.flatMap((told, i) => (i > 1 && told !== "" ? [made("dt", heads[i]), made("dd", cell(told))] : []));
      const first = made("summary", [made("b", cell(row[0])), made("span", cell(row[1]))]);
      const fold = made("details", [first, made("dl", rest)], { open: this.open.has(at) });
      fold.addEventListener("toggle", () => (fold.open ? this.open.add(at) : this.open.delete(at)));
      return made("li", [...(marked ? [this.marker(at)] : []), fold]);
    });
    return [made("p", [made("span", heads[0]), made("span", heads[1])], { className: "ked-table-heads" }), made("ul", rows)];
  }

  remove() {
    this.observer.disconnect();
    this.node.remove();
    tables.delete(this.parent);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const table = tables.get(parentElement) ?? new Table(parentElement);
  tables.set(parentElement, table);
  table.show(data, setStateValue);
  return () => table.remove();
}
