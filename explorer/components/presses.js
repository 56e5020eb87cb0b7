// A row of buttons. Each press is told, with all before it that the server has not said it has taken: so none is lost where
// messages are dropped or become one, and none counts twice where one is sent twice.

const rows = new WeakMap(); // the element Streamlit gave us -> its row

class Row {
  constructor(parent) {
    this.parent = parent;
    this.name = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("");
    this.number = 0;
    this.open = []; // presses that have not been taken yet
    this.node = document.createElement("div");
    this.node.className = "ked-presses";
    parent.append(this.node);
  }

  show({ buttons, taken }, send) {
    this.send = send;
    if (taken?.row === this.name) this.open = this.open.filter(({ number }) => number > taken.number);
    while (this.node.children.length < buttons.length) this.add();
    while (this.node.children.length > buttons.length) this.node.lastChild.remove();
    buttons.forEach((button, at) => this.draw(this.node.children[at], button));
  }

  add() {
    const node = document.createElement("button");
    node.type = "button";
    node.append(document.createElement("i"), document.createElement("span"));
    node.firstChild.setAttribute("aria-hidden", "true");
    node.addEventListener("click", () => this.press(node.dataset.do));
    node.addEventListener("keydown", (event) => { if (event.repeat && event.key === "Enter") event.preventDefault(); });
    this.node.append(node);
  }

  draw(node, button) {
    Object.assign(node.dataset, { do: button.do, primary: button.primary });
    node.title = button.help;
    const texts = [button.icon, button.label];
    [...node.children].forEach((part, at) => { if (part.textContent !== texts[at]) part.textContent = texts[at]; });
  }

  press(what) {
    this.open = [...this.open, { row: this.name, number: ++this.number, do: what }];
    this.send("presses", this.open);
  }

  remove() {
    this.node.remove();
    rows.delete(this.parent);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const row = rows.get(parentElement) ?? new Row(parentElement);
  rows.set(parentElement, row);
  row.show(data, setStateValue);
  return () => row.remove();
}
