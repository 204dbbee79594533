// What the widgets share. Text reaches the page as text alone; nothing is parsed as HTML.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") made[name] = value;
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function button(label, onclick, { text = label, kind = "", ...more } = {}) {
  return element("button", { type: "button", class: `sm-button ${kind}`, "aria-label": label, title: label, onclick, ...more }, text);
}

function input(label, value, oninput, { placeholder = "", kind = "", ...more } = {}) {
  return element("input", {
    type: "text", class: `sm-input ${kind}`, "aria-label": label, spellcheck: "false", autocomplete: "off",
    placeholder, value, oninput: (event) => oninput(event.target.value), ...more,
  });
}

function area(label, value, oninput, { placeholder = "", rows = 3, kind = "", ...more } = {}) {
  return element("textarea", {
    class: `sm-input sm-area ${kind}`, "aria-label": label, spellcheck: "false", rows, placeholder, value,
    oninput: (event) => oninput(event.target.value), ...more,
  });
}

function select(label, options, value, onchange, { kind = "" } = {}) {
  const made = element("select", { class: `sm-input sm-select ${kind}`, "aria-label": label, onchange: (event) => onchange(event.target.value) });
  for (const option of options) made.append(element("option", { value: option }, option));
  made.value = value;
  return made;
}

function checkbox(label, text, checked, onchange, title = label) {
  const box = element("input", { type: "checkbox", "aria-label": label, checked, onchange: (event) => onchange(event.target.checked) });
  return element("label", { class: "sm-check", title }, box, text);
}

// The label of what has the focus inside of `place`; another view may have elements of the same labels.
function focusedLabel(place) {
  return place.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
}

// Words that screen readers say aloud when they change.
function statusLine() {
  return element("div", { class: "sm-status", role: "status", "aria-live": "polite" });
}

function say(line, text, isProblem = false) {
  line.textContent = text;
  line.classList.toggle("sm-problem", isProblem);
}

async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = element("textarea", { value: text, style: "position:fixed;opacity:0" }); // plain HTTP has no clipboard
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function copyButton(label, text, textOf, kind = "") {
  const made = button(label, async () => {
    await copyText(textOf());
    made.textContent = "Copied";
    setTimeout(() => { made.textContent = text; }, 1200);
  }, { text, kind });
  return made;
}

// The state that the kernel keeps, and the questions that it has not answered yet.
class Kernel {
  constructor(model) {
    this.model = model;
    this.asked = this.data.answered ?? 0;
  }
  get data() { return JSON.parse(this.model.get("data")); }
  get isBusy() { return (this.data.answered ?? 0) < this.asked; }
  ask(content) {
    this.asked = Math.max(this.asked, this.data.answered ?? 0) + 1;
    this.model.send({ ...content, asked: this.asked });
  }
  // While the kernel works it reads no messages; an interrupt reaches it all the same.
  interrupt() { this.model.widget_manager?.kernel?.interrupt(); }
}

function onChange(model, names, react) {
  for (const name of names) model.on(`change:${name}`, react);
  return () => { for (const name of names) model.off(`change:${name}`, react); };
}

function table(columns, rows) {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell))));
  return element("table", { class: "sm-table" }, element("thead", {}, head), element("tbody", {}, ...body));
}

// What stands below an answer: whether it was cut short, what it took, and what else there is to say of its run.
function belowAnswer({ warning, notes }) {
  const made = notes.map((note) => element("div", { class: "sm-note sm-faint" }, note));
  return warning ? [element("div", { class: "sm-problem" }, warning), ...made] : made;
}

// A word ahead of a colon is the name of a field, whatever it says.
const CODE = /(#.*$|"""[^]*?""")|("(?:[^"\\]|\\.)*"|(?<=: )\/(?:[^/\\]|\\.)+\/)|\b(str|int|float|bool|date|datetime|time|email|url|uuid|verbatim|list|dict|None|null|true|false|True|False|class|from|import|Literal|Annotated)\b(?!\??\s*:)|(-?\b\d[\d.]*\b)/gm;
const COLOURS = ["sm-comment", "sm-string", "sm-word", "sm-number"];

// Code with its colours: they say nothing that the text does not.
function code(text) {
  const made = element("pre", { class: "sm-code", tabindex: "0" });
  let end = 0;
  for (const found of text.matchAll(CODE)) {
    made.append(text.slice(end, found.index));
    made.append(element("span", { class: COLOURS[found.slice(1).findIndex((group) => group !== undefined)] }, found[0]));
    end = found.index + found[0].length;
  }
  made.append(text.slice(end));
  return made;
}
