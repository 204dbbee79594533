// The schema editor. The rows live here, as one tree; the kernel makes the schema of them.

const EMPTY = {
  name: "", kind: "str", is_optional: false, is_required: true, is_closed: true, description: "", default: "",
  low: "", high: "", choices: "", text: "", more: "", fields: [], keywords: [], required: [],
};
const LIST = "list of";
const JSON_TEXT = "JSON";
const LENGTHS = { str: "characters", list: "items", [LIST]: "items" };

const newField = (change = {}) => ({ ...structuredClone(EMPTY), ...change });

function ofKind(field, kind) {
  const kept = { name: field.name, description: field.description, is_optional: field.is_optional, is_required: field.is_required };
  const made = newField({ ...kept, kind });
  if (kind === "object") made.fields = field.fields.length && field.kind === "object" ? field.fields : [newField({ name: "name" })];
  if (kind === LIST) made.fields = [newField({ kind: "str" })];
  if (kind === "choices") made.choices = "low, high";
  if (kind === "pattern") made.text = "[A-Z]{2}-[0-9]+";
  if (kind === JSON_TEXT) made.text = jsonText(field);
  return made;
}

// A row of JSON has no controls of its own for these two.
function jsonText({ is_optional, description }) {
  const type = is_optional ? '["string", "null"]' : '"string"';
  return `{"type": ${type}${description && `, "description": ${JSON.stringify(description)}`}}`;
}

function freshName(fields) {
  const taken = new Set(fields.map((field) => field.name));
  let number = fields.length + 1;
  while (taken.has(`field_${number}`)) number += 1;
  return `field_${number}`;
}

class Editor {
  constructor(model, el) {
    this.model = model;
    this.kernel = new Kernel(model, () => this.drawData());
    this.open = new Set(); // labels of the rows whose details are shown
    this.form = "compact";
    this.past = [];
    this.sample = "";
    this.example = "";
    this.rows = element("div", { class: "sm-rows" });
    this.bar = element("div", { class: "sm-bar", role: "toolbar", "aria-label": "Schema editor" });
    this.drawers = { example: this.exampleDrawer(), run: this.runDrawer() };
    this.preview = element("div", { class: "sm-preview" });
    this.status = statusLine();
    const body = element("div", { class: "sm-body" }, this.rows, this.preview);
    const root = element("div", { class: "sm sm-editor" }, this.bar, this.drawers.example, this.drawers.run, body, this.status);
    el.append(root);
    this.presses = new Presses(root);
    this.redraw = () => this.draw();
    this.redrawData = () => this.drawData();
    this.read();
    const stops = [
      onChange(model, ["state"], () => this.reread()),
      onChange(model, ["data"], () => this.presses.whenOver(this.redrawData)),
      () => this.kernel.close(),
    ];
    this.close = () => stops.forEach((stop) => stop());
    this.draw();
  }

  read() {
    this.text = this.model.get("state");
    this.root = JSON.parse(this.text);
  }
  reread() {
    if (this.model.get("state") === this.text) return; // this view's own change
    this.past.push(this.text);
    this.changedAt = 0; // what is typed next is another step
    this.read();
    this.draw();
  }

  // Every change of the tree goes through here. Where its form changed, the rows are drawn again.
  change(alter, { isForm = false, focus = null } = {}) {
    const before = this.text;
    alter();
    this.text = JSON.stringify(this.root);
    if (this.text !== before && (isForm || !this.past.length || Date.now() - this.changedAt > 800)) this.past.push(before);
    this.changedAt = Date.now();
    this.kernel.save(this.text);
    if (isForm) this.draw(focus);
    else this.drawBar();
  }
  undo() {
    this.text = this.past.pop();
    this.root = JSON.parse(this.text);
    this.kernel.save(this.text);
    this.draw();
  }

  draw(focus = null) {
    const labelled = () => [...this.rows.querySelectorAll("[aria-label]")];
    const label = focus ?? focusedLabel(this.rows);
    const place = labelled().indexOf(document.activeElement);
    this.presses.waiting.clear(); // all of it is drawn
    this.rows.replaceChildren(...this.rootRows());
    this.drawBar();
    this.drawData();
    // A label may have changed with its field's name; it has its place still.
    const again = labelled().find((each) => each.getAttribute("aria-label") === label) ?? labelled()[place];
    again?.focus();
    if (focus && again?.select) again.select();
  }

  drawBar() {
    const isList = this.root.kind === LIST;
    const object = isList ? this.root.fields[0] : this.root;
    const toggle = (name, text) => button(text, () => this.toggle(name), { "aria-expanded": String(!this.drawers[name].hidden) });
    const canAdd = object.kind === "object";
    const focused = focusedLabel(this.bar);
    this.bar.replaceChildren(
      element("span", { class: "sm-title" }, "Schema"),
      button("Add field", () => this.add(object, ""), { text: "+ Field", disabled: !canAdd }),
      canAdd ? this.listBox(isList) : null,
      button("Undo", () => this.undo(), { text: "↶", disabled: !this.past.length }),
      element("span", { class: "sm-space" }),
      toggle("example", "From an example"),
      toggle("run", "Try it"),
    );
    [...this.bar.querySelectorAll("[aria-label]")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
  }

  toggle(name) {
    const drawer = this.drawers[name];
    drawer.hidden = !drawer.hidden;
    this.drawBar();
    if (!drawer.hidden) drawer.querySelector("textarea").focus();
  }
  listBox(isList) {
    const refers = this.text.includes('\\"$ref\\"'); // references lead from the root, which would be another one
    const title = refers ? "This schema refers to its own parts and stays as it is; --many asks for a list" : "The answer is a list; each item is a row";
    const made = checkbox("List of rows", "list of rows", isList, (checked) => this.asList(checked), title);
    made.querySelector("input").disabled = refers;
    return made;
  }
  asList(checked) {
    this.change(() => {
      this.root = checked ? newField({ kind: LIST, fields: [this.root] }) : this.root.fields[0];
    }, { isForm: true });
  }
  add(object, path) {
    const name = freshName(object.fields);
    this.change(() => object.fields.push(newField({ name })), { isForm: true, focus: `Name of ${path}${name}` });
  }

  rootRows() {
    const isList = this.root.kind === LIST;
    const top = isList ? this.root.fields[0] : this.root;
    if (top.kind !== "object") return this.single(this.root);
    return [this.about(this.root), ...this.children(top, "")];
  }
  single(field) {
    const label = "the schema";
    return [
      element("div", { class: "sm-row" }, ...this.typeControls(field, label, (made) => { this.root = made; })),
      ...this.details(field, label, true),
      ...this.below(field, ""),
    ];
  }
  about(field) {
    return element("div", { class: "sm-about" }, input(
      "Description of the schema", field.description, (text) => this.change(() => { field.description = text; }),
      { placeholder: "what this is about; the model reads it" },
    ));
  }

  children(object, path) {
    const rows = object.fields.map((field, index) => this.row(object, index, path));
    if (path) rows.push(element("div", { class: "sm-row" }, button(`Add field to ${path.slice(0, -1)}`, () => this.add(object, path), { text: "+ Field", kind: "sm-icon" })));
    return rows;
  }

  row(object, index, path) {
    const field = object.fields[index];
    const label = path + field.name;
    const replaceWith = (made) => { object.fields[index] = made; };
    const row = element("div", { class: "sm-row", onkeydown: (event) => this.keys(event, object, index, path) },
      this.name(field, label),
      ...this.typeControls(field, label, replaceWith),
      ...this.notes(field, label),
      this.buttons(object, index, label, path),
    );
    return element("div", { class: "sm-field", role: "group", "aria-label": `Field ${label}` }, row, ...this.details(field, label), ...this.below(field, `${label}.`));
  }

  notes(field, label) {
    if (field.kind === JSON_TEXT) return [element("span", { class: "sm-space" })]; // its text says all of it
    return [
      checkbox(`Optional: ${label}`, "or null", field.is_optional, (checked) => this.change(() => {
        field.is_optional = checked;
        field.keywords = []; // they spelled the type that it had
      }), "null where the text does not say"),
      input(`Description of ${label}`, field.description, (text) => this.change(() => { field.description = text; }), { placeholder: "description for the model", kind: "sm-grow" }),
    ];
  }

  name(field, label) {
    return input(`Name of ${label}`, field.name, (text) => this.change(() => { field.name = text; }), {
      placeholder: "name", kind: "sm-mono sm-name",
      onchange: () => this.presses.later(this.redraw), // labels say the new name
    });
  }

  typeControls(field, label, replaceWith, what = "Type") {
    const kinds = this.kernel.data.kinds;
    const choose = (kind) => this.change(() => replaceWith(ofKind(field, kind)), { isForm: true, focus: `${what} of ${label}` });
    const controls = [select(`${what} of ${label}`, kinds, field.kind, choose, { kind: "sm-type" })];
    if (field.kind === LIST) {
      controls.push(...this.typeControls(field.fields[0], label, (made) => { field.fields[0] = { ...made, name: "" }; }, what === "Type" ? "Item type" : `${what} (inner)`));
    }
    return controls;
  }

  buttons(object, index, label, path) {
    const isOpen = this.open.has(label);
    return element("span", { class: "sm-buttons" },
      button(`Move ${label} up`, () => this.move(object, index, -1), { text: "↑", kind: "sm-icon", disabled: index === 0 }),
      button(`Move ${label} down`, () => this.move(object, index, 1), { text: "↓", kind: "sm-icon", disabled: index === object.fields.length - 1 }),
      button(`More about ${label}`, () => {
        this.open.delete(label);
        if (!isOpen) this.open.add(path + object.fields[index].name); // by now
        this.draw();
      }, { text: "⋯", kind: "sm-icon", "aria-expanded": String(isOpen) }),
      button(`Delete ${label}`, () => this.remove(object, index, path), { text: "✕", kind: "sm-icon" }),
    );
  }
  move(object, index, by, focus = null) {
    const to = index + by;
    if (to < 0 || to >= object.fields.length) return;
    this.change(() => object.fields.splice(to, 0, ...object.fields.splice(index, 1)), { isForm: true, focus });
  }
  remove(object, index, path) {
    const next = object.fields[index + 1] ?? object.fields[index - 1];
    this.change(() => object.fields.splice(index, 1), { isForm: true, focus: next ? `Name of ${path}${next.name}` : null });
  }
  keys(event, object, index, path) {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(object, index, event.key === "ArrowUp" ? -1 : 1, `Name of ${path}${object.fields[index].name}`);
  }

  // The line below a row: what its type needs, and on demand all else.
  details(field, label, isOpen = this.open.has(label)) {
    const inner = this.innermost(field);
    const needed = [this.special(inner, label)].filter(Boolean);
    const extra = isOpen || field.low || field.high || field.default || field.more ? this.extras(field, label, isOpen) : [];
    if (inner !== field && (inner.low || inner.high || inner.more)) extra.push(...this.extras(inner, `items of ${label}`, false));
    const parts = [...needed, ...extra];
    return parts.length ? [element("div", { class: "sm-details" }, ...parts)] : [];
  }
  innermost(field) {
    return field.kind === LIST ? this.innermost(field.fields[0]) : field;
  }
  special(field, label) {
    const set = (name) => (text) => this.change(() => { field[name] = text; });
    if (field.kind === "choices") return labelled("one of", input(`Choices of ${label}`, field.choices, set("choices"), { placeholder: "low, medium, high", kind: "sm-mono sm-wide" }));
    if (field.kind === "pattern") return labelled("matches", input(`Pattern of ${label}`, field.text, set("text"), { kind: "sm-mono sm-wide" }));
    if (field.kind === JSON_TEXT) return area(`JSON Schema of ${label}`, field.text, set("text"), { rows: Math.min(12, 2 + Math.ceil(field.text.length / 90)) });
    return null;
  }
  extras(field, label, isOpen) {
    const set = (name) => (text) => this.change(() => { field[name] = text; });
    const made = [];
    if (this.kernel.data.bounded.includes(field.kind) && (isOpen || field.low || field.high)) {
      const unit = LENGTHS[field.kind] ?? "";
      made.push(labelled("from", input(`Lower bound of ${label}`, field.low, set("low"), { kind: "sm-mono sm-short" })));
      made.push(labelled("to", input(`Upper bound of ${label}`, field.high, set("high"), { kind: "sm-mono sm-short" }), unit));
    }
    if (field.kind !== JSON_TEXT && (isOpen || field.default)) {
      made.push(labelled("default", input(`Default of ${label}`, field.default, set("default"), { placeholder: '"text", 3, null', kind: "sm-mono sm-middle" })));
    }
    if (field.kind !== JSON_TEXT && (isOpen || field.more)) {
      made.push(labelled("also", input(`Other keywords of ${label}`, field.more, set("more"), { placeholder: '{"multipleOf": 5}', kind: "sm-mono sm-wide" })));
    }
    if (isOpen && label !== "the schema") {
      made.push(checkbox(`May be missing: ${label}`, "may be missing", !field.is_required, (checked) => this.change(() => { field.is_required = !checked; }), "The model may leave the field out"));
    }
    if (isOpen && field.kind === "object") {
      made.push(checkbox(`Other fields in ${label}`, "other fields, too", !field.is_closed, (checked) => this.change(() => { field.is_closed = !checked; }), "The model may add fields of its own"));
    }
    return made;
  }
  below(field, path) {
    const inner = this.innermost(field);
    return inner.kind === "object" ? [element("div", { class: "sm-nested" }, ...this.children(inner, path))] : [];
  }

  exampleDrawer() {
    const text = area("Example", "", (value) => { this.example = value; }, { rows: 4, placeholder: '{"name": "Ada", "born": 1815}   or the name of a DataFrame, a list or a dict in this notebook' });
    return element("div", { class: "sm-drawer", hidden: "" }, text, element("div", { class: "sm-line" },
      button("Infer the schema", () => this.ask({ kind: "infer", text: this.example }), { kind: "sm-main" }),
      button("Read as a schema", () => this.ask({ kind: "read", text: this.example })),
      element("span", { class: "sm-faint" }, "an example, or a schema in any form"),
    ));
  }
  runDrawer() {
    const text = area("Sample text", "", (value) => { this.sample = value; }, { rows: 3, placeholder: "a text to fill the fields from" });
    this.runButton = button("Run", () => this.ask({ kind: "run", text: this.sample }), { kind: "sm-main" });
    this.stopButton = button("Stop", () => this.kernel.interrupt());
    this.result = element("div", { class: "sm-scroll", "aria-label": "Result", role: "region" });
    return element("div", { class: "sm-drawer", hidden: "" }, text, element("div", { class: "sm-line" }, this.runButton, this.stopButton), this.result);
  }
  ask(content) {
    this.kernel.ask(content);
    this.drawData();
  }

  drawData() {
    const data = this.kernel.data;
    const isBusy = this.kernel.isBusy;
    this.runButton.disabled = isBusy || this.kernel.isLost;
    this.stopButton.hidden = !isBusy;
    this.drawPreview(data);
    if (data.answer) this.result.replaceChildren(...oldNote(data.is_old, "of an earlier schema"), table(data.answer.columns, data.answer.rows), ...belowAnswer(data.answer));
    const problem = this.kernel.isLost ? LOST : data.rows_problem || data.problem;
    say(this.status, isBusy ? "running …" : problem || data.note || "", !isBusy && Boolean(problem));
  }
  drawPreview({ forms, rows_problem }) {
    const names = { compact: "Compact", pydantic: "Pydantic", json: "JSON Schema" };
    const tabs = Object.entries(names).map(([form, text]) => button(`Show ${text}`, () => { this.form = form; this.drawPreview(this.kernel.data); }, {
      text, "aria-pressed": String(this.form === form),
    }));
    const shown = forms[this.form] || `(${names[this.form]} cannot say this schema exactly)`;
    const focused = focusedLabel(this.preview);
    const copy = copyButton(`Copy ${names[this.form]}`, "Copy", () => this.kernel.data.forms[this.form]);
    copy.disabled = !forms[this.form];
    this.preview.replaceChildren(
      element("div", { class: "sm-line sm-tabs" }, ...tabs),
      ...oldNote(rows_problem, "the schema before the problem"),
      code(shown),
      element("div", { class: "sm-line sm-tabs sm-foot" },
        copy,
        copyButton("Copy as cell", "Copy as cell", () => this.kernel.data.forms.cell)),
    );
    this.preview.querySelector("pre").setAttribute("aria-label", "Preview");
    [...this.preview.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
  }
}

function labelled(text, control, after = "") {
  return element("span", { class: "sm-labelled" }, element("span", { class: "sm-faint" }, text), control, after && element("span", { class: "sm-faint" }, after));
}

export default {
  render({ model, el }) {
    const editor = new Editor(model, el);
    return () => editor.close();
  },
};
