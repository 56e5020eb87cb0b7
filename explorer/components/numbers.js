// The numbers of a figure, for those who would rather read or keep them: as a table under it, and as a CSV file.

const SHOWN = 300; // rows on the page; the file has all
const TABLE = { width: 24, height: 24, path: "M3 4h18v16H3zM5 9.5v3.500h6v-3.500zM13 9.500v3.500h6v-3.500zM5 15v3h6v-3zM13 15v3h6v-3z" };

const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value) ?? null;

// A row a point or cell: the trace, the horizontal and vertical place, the value, the text beside it.
function* rowsOf({ type, _input, x, y, z, text }, number) {
  const trace = _input.name ?? `${type} ${number + 1}`; // plotly's own names count from 0 and say nothing
  if (z?.length && z[0]?.length !== undefined) {
    for (let row = 0; row < z.length; row += 1) {
      for (let column = 0; column < z[row].length; column += 1) {
        yield [trace, x?.[column] ?? column, y?.[row] ?? row, plain(z[row][column]), ""];
      }
    }
    return;
  }
  for (let i = 0; i < Math.max(x?.length ?? 0, y?.length ?? 0); i += 1) {
    yield [trace, x?.[i] ?? i, y?.[i] ?? i, "", Array.isArray(text) ? text[i] : ""];
  }
}

const unmarked = (value) => String(value ?? "").replace(/<[^>]*>/g, "");

function csvOf(traces) {
  const cell = (value) => {
    const told = unmarked(value); // a spreadsheet would compute what begins like a formula
    const words = /^[=+\-@\t\r]/.test(told) && Number.isNaN(Number(told)) ? `'${told}` : told;
    return /[",\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
  };
  const lines = ["trace,x,y,value,text"];
  traces.forEach((trace, number) => {
    if (trace.visible !== true) return;
    for (const row of rowsOf(trace, number)) lines.push(row.map(cell).join(","));
  });
  return `${lines.join("\n")}\n`;
}

function saveTable(node, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csvOf(node._fullData)], { type: "text/csv" }));
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// What can be saved of a figure; the same in plotly's bar, for the mouse, and under the figure, for the keyboard.
const savings = (name) => [
  { name: "csv", words: "CSV", title: "Download the data as CSV", icon: () => TABLE, click: (node) => saveTable(node, name) },
  { name: "png", words: "PNG", title: "Download as PNG", icon: () => window.Plotly.Icons.disk,
    click: (node) => window.Plotly.downloadImage(node, { format: "png", filename: name, scale: 2 }) },
  { name: "svg", words: "SVG", title: "Download as SVG", icon: () => window.Plotly.Icons.camera,
    click: (node) => window.Plotly.downloadImage(node, { format: "svg", filename: name }) },
];

// Lines that only outline something say nothing as numbers.
const tells = ({ visible, hoverinfo }) => visible === true && hoverinfo !== "skip";
const short = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : unmarked(value));

class Numbers {
  constructor(parent, node) {
    this.node = node;
    this.place = document.createElement("details");
    this.place.className = "ked-numbers";
    this.place.innerHTML = "<summary>Data</summary><div class='ked-savings'></div><div class='ked-rows' tabindex='0'></div><p></p>";
    this.place.addEventListener("toggle", () => this.follow());
    parent.append(this.place);
  }

  name(alt, name) {
    this.place.querySelector("summary").setAttribute("aria-label", `Data of this figure: ${alt}`);
    this.place.querySelector(".ked-savings").replaceChildren(...savings(name).map(({ words, title, click }) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: words, title });
      button.addEventListener("click", () => click(this.node));
      return button;
    }));
  }

  // Brings the table up to what the figure shows, if anybody looks.
  follow() {
    if (!this.place.open || !this.node._fullData) return;
    const rows = [];
    let count = 0;
    this.node._fullData.forEach((trace, number) => {
      if (!tells(trace)) return;
      for (const row of rowsOf(trace, number)) {
        count += 1;
        if (count <= SHOWN) rows.push(row);
      }
    });
    this.write(rows);
    const all = count.toLocaleString("en");
    this.place.querySelector("p").textContent = count > SHOWN ? `The first ${SHOWN} of ${all} rows; the CSV file has all.` : "";
  }

  write(rows) {
    const { xaxis, yaxis } = this.node.layout;
    const titles = ["", unmarked(xaxis?.title?.text) || "x", unmarked(yaxis?.title?.text) || "y", "value", "text"];
    const used = titles.map((_, at) => at).filter((at) => rows.some((row) => row[at] !== "" && row[at] !== null));
    const table = document.createElement("table");
    const line = (tag, cells) => {
      const row = document.createElement("tr");
      row.append(...cells.map((words) => Object.assign(document.createElement(tag), { textContent: words })));
      return row;
    };
    table.append(line("th", used.map((at) => titles[at])), ...rows.map((row) => line("td", used.map((at) => short(row[at])))));
    this.place.querySelector(".ked-rows").replaceChildren(table);
  }
}
