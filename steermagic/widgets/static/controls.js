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

const LOST = "the kernel that this belongs to is gone; run the cell again";

// The state that the kernel keeps, and the questions that it has not answered yet.
class Kernel {
  constructor(model, drawLost) {
    this.model = model;
    this.asked = this.data.answered ?? 0;
    this.isLost = false;
    this.lose = () => {
      this.isLost = true;
      drawLost();
    };
    model.on("comm_live_update", this.lose); // once there is a page, it only ever ends
  }
  close() { this.model.off("comm_live_update", this.lose); }
  get data() { return JSON.parse(this.model.get("data")); }
  get isBusy() { return !this.isLost && (this.data.answered ?? 0) < this.asked; }
  ask(content) {
    this.asked = Math.max(this.asked, this.data.answered ?? 0) + 1;
    this.send({ ...content, asked: this.asked });
  }
  // Notebooks hold a state back while the kernel works, but no message: what is asked next would overtake it.
  save(state) {
    this.model.set("state", state);
    this.model.save_changes();
    this.send({ state });
  }
  send(content) {
    try {
      this.model.send(content);
    } catch {
      this.lose();
    }
  }
  // While the kernel works it reads no messages; an interrupt reaches it all the same.
  interrupt() { this.model.widget_manager?.kernel?.interrupt(); }
}

function onChange(model, names, react) {
  for (const name of names) model.on(`change:${name}`, react);
  return () => { for (const name of names) model.off(`change:${name}`, react); };
}

// What is drawn between a press and its click takes away what was pressed, and the click with it: it waits.
class Presses {
  constructor(root) {
    this.pressed = null;
    this.waiting = new Set();
    root.addEventListener("pointerdown", (event) => this.hold(event.target), true);
  }
  hold(pressed) {
    const select = pressed.closest("select"); // its list of options is open until it has changed or is left
    this.pressed = pressed;
    const over = new AbortController();
    const release = () => {
      over.abort();
      if (this.pressed !== pressed) return;
      this.pressed = null;
      this.drawSoon(); // after the click
    };
    for (const end of select ? ["change", "focusout"] : ["pointerup", "pointercancel"]) {
      (select ?? window).addEventListener(end, release, { capture: true, signal: over.signal });
    }
  }
  whenOver(draw) {
    this.waiting.add(draw);
    if (!this.pressed) this.draw();
  }
  // Once what is happening has come to its end, such as a move of the focus.
  later(draw) {
    this.waiting.add(draw);
    this.drawSoon();
  }
  drawSoon() {
    setTimeout(() => { if (!this.pressed) this.draw(); });
  }
  draw() {
    const draws = [...this.waiting];
    this.waiting.clear();
    for (const draw of draws) draw();
  }
}

function table(columns, rows) {
  const head = element("tr", {}, ...columns.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell))));
  return element("table", { class: "sm-table" }, element("thead", {}, head), element("tbody", {}, ...body));
}

// Says above what is shown that it is not of what the page says by now.
function oldNote(isOld, text) {
  return isOld ? [element("div", { class: "sm-note sm-faint" }, text)] : [];
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
