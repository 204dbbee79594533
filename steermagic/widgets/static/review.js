// The review: a row at a time, the least sure first, judged with single keys.

const SIGNS = { accepted: "✓", corrected: "✎", rejected: "✗", "": "·" };
const LONG = 80; // characters; a longer text has several lines
const VERDICTS = { accepted: ["Accept", "a"], rejected: ["Reject", "r"], "": ["Clear", "u"] };

class Review {
  constructor(model, el) {
    this.model = model;
    this.kernel = new Kernel(model, () => this.draw());
    this.turns = [];
    this.status = statusLine();
    this.bar = element("div", { class: "sm-bar", role: "toolbar", "aria-label": "Review" });
    this.list = element("div", { class: "sm-list", role: "listbox", "aria-label": "Rows by rising confidence" });
    this.values = element("div", { class: "sm-values", role: "group", "aria-label": "Values" });
    this.sources = element("div", { class: "sm-sources", role: "region", "aria-label": "Source text", tabindex: "0" });
    const body = element("div", { class: "sm-body" }, this.list, this.values, this.sources);
    const attributes = { class: "sm sm-review", tabindex: "0", "aria-label": "Review of rows", role: "group" };
    this.root = element("div", { ...attributes, onkeydown: (event) => this.keys(event) }, this.bar, body, this.status);
    el.append(this.root);
    this.presses = new Presses(this.root);
    this.redraw = () => this.draw();
    const stops = [onChange(model, ["state", "data"], () => this.presses.whenOver(this.redraw)), () => this.kernel.close()];
    this.close = () => stops.forEach((stop) => stop());
    this.draw();
  }

  get number() { return Number(this.model.get("state")); }
  get items() { return this.kernel.data.items; }
  go(number) {
    if (number < 0 || number >= this.items.length) return;
    this.model.set("state", String(number));
    this.model.save_changes();
  }
  // The kernel goes on to the next row, and may refuse a correction: what comes next waits for its answer.
  inTurn(act) {
    this.turns.push(act);
    this.takeTurns();
  }
  takeTurns() {
    if (this.kernel.isLost) this.turns = [];
    while (this.turns.length && !this.kernel.isBusy && !this.presses.waiting.size) this.turns.shift()();
  }
  step(by) { this.inTurn(() => this.go(this.number + by)); }
  judge(verdict) {
    this.inTurn(() => this.kernel.ask({ kind: "judge", number: this.number, verdict }));
    this.root.focus();
  }
  correct(name, text) {
    this.kernel.ask({ kind: "correct", number: this.number, name, text });
  }

  keys(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") this.root.focus();
      return;
    }
    const doing = {
      a: () => this.judge("accepted"), r: () => this.judge("rejected"), u: () => this.judge(""),
      j: () => this.step(1), ArrowDown: () => this.step(1), k: () => this.step(-1), ArrowUp: () => this.step(-1),
      e: () => this.edit(),
    }[event.key];
    if (!doing) return;
    event.preventDefault();
    event.stopPropagation();
    doing();
  }
  edit() {
    const control = this.values.querySelector(".sm-doubtful .sm-input") ?? this.values.querySelector(".sm-input");
    control?.focus();
    control?.select?.();
  }

  draw() {
    const focused = focusedLabel(this.root);
    const { items, item, problem } = this.kernel.data;
    this.drawBar(items);
    this.drawList(items);
    const isThere = item && item.number === this.number; // else the kernel is about to send it
    let gone = "";
    if (isThere) {
      gone = this.drawValues(item);
      this.sources.replaceChildren(...item.sources.flatMap((source) => sourceParts(source, item.sources.length > 1)));
    }
    if (!items.length) this.values.replaceChildren(element("div", { class: "sm-faint" }, "there are no rows to review"));
    const said = this.kernel.isLost ? LOST : problem || gone;
    say(this.status, said, Boolean(said));
    // Lab takes single keys for its own, unless the element that has the focus says otherwise.
    for (const each of [this.root, ...this.root.querySelectorAll("button, select, summary, [tabindex]")]) each.setAttribute("data-lm-suppress-shortcuts", "true");
    if (focused && !this.root.contains(document.activeElement)) {
      ([...this.root.querySelectorAll("[aria-label]")].find((each) => each.getAttribute("aria-label") === focused) ?? this.root).focus();
    }
    if (problem && !this.kernel.isBusy) this.turns = [];
    this.takeTurns();
  }
  drawBar(items) {
    const n_judged = items.filter((item) => item.verdict).length;
    const share = items.length ? (100 * n_judged) / items.length : 0;
    const buttons = Object.entries(VERDICTS).map(([verdict, [text, key]]) => button(text, () => this.judge(verdict), {
      text: element("span", {}, verdict ? `${SIGNS[verdict]} ${text}` : text, element("kbd", { class: "sm-key" }, key)), title: `${text} (key ${key})`, "aria-keyshortcuts": key,
      disabled: !items.length, kind: verdict === "accepted" ? "sm-main" : "",
    }));
    this.bar.replaceChildren(
      element("span", { class: "sm-title" }, "Review"),
      button("Previous row", () => this.step(-1), { text: "↑", title: "Previous (key k)", disabled: this.number === 0 }),
      button("Next row", () => this.step(1), { text: "↓", title: "Next (key j)", disabled: this.number + 1 >= items.length }),
      ...buttons,
      element("span", { class: "sm-space" }),
      element("span", { class: "sm-meter", "aria-hidden": "true" }, element("span", { style: `width:${share}%` })),
      element("span", { class: "sm-faint" }, `${n_judged} of ${items.length} judged`),
    );
  }
  drawList(items) {
    const shown = items.slice(Math.max(0, this.number - 200), this.number + 200);
    const start = Math.max(0, this.number - 200);
    this.list.replaceChildren(...shown.map((item, offset) => {
      const number = start + offset;
      return element("div", {
        role: "option", class: "sm-option", "aria-selected": String(number === this.number), onclick: () => { this.inTurn(() => this.go(number)); this.root.focus(); },
        "aria-label": `Row ${item.label}, ${item.verdict || "not judged"}`,
      }, element("span", { class: `sm-sign sm-${item.verdict}` }, SIGNS[item.verdict]), element("span", {}, item.label), element("span", { class: "sm-sure" }, item.sure));
    }));
    const selected = this.list.querySelector("[aria-selected=true]");
    if (selected) this.list.scrollTop = selected.offsetTop - this.list.offsetTop - 80;
  }
  // What somebody is typing stays, and its place in the page: moved, it would lose the focus. Returns what there is to say of it.
  drawValues({ number, values }) {
    const made = values.map((value) => this.value(value));
    const old = [...this.values.children];
    const typed = number === this.drawn && old.find((each) => each.contains(document.activeElement) && isUnsent(document.activeElement));
    this.drawn = number;
    const place = typed ? made.findIndex((each) => each.dataset.name === typed.dataset.name) : -1;
    if (place < 0) {
      this.values.replaceChildren(...made);
      return typed ? `${typed.dataset.name} has gone with another correction, and what was typed there with it` : "";
    }
    for (const each of old) if (each !== typed) each.remove();
    typed.before(...made.slice(0, place));
    typed.after(...made.slice(place + 1));
    return "";
  }
  value(value) {
    const label = `Value of ${value.name}`;
    const send = (text) => {
      if (!isUnsent(control)) return;
      control.sent = control.value;
      this.correct(value.name, text);
    };
    const control = value.choices.length ? select(label, value.choices, value.text, send) : this.field(label, value.text, send);
    control.sent = control.value; // what the kernel has of it
    const chips = value.alternatives.map(([text, shown, share]) => button(`Set ${value.name} to ${shown || "null"}`, () => this.correct(value.name, text), { text: `${shown || "null"} ${share}`, kind: "sm-chip" }));
    const name = element("span", { class: "sm-name" }, value.name, value.is_changed ? element("span", { title: "changed by you" }, " ✎") : null);
    if (value.is_folded) {
      const fold = { class: "sm-value", "data-name": value.name, open: this.isUnfolded ? "" : null, ontoggle: (event) => { this.isUnfolded = event.target.open; } };
      return element("details", fold, element("summary", { "aria-label": `${label}, as JSON`, title: "all values, as JSON" }, name), control);
    }
    const sure = element("span", { class: "sm-sure", title: "how sure the model was" }, value.sure);
    return element("div", { class: `sm-value${value.is_doubtful ? " sm-doubtful" : ""}`, "data-name": value.name }, element("div", { class: "sm-line" }, name, sure), control, chips.length ? element("div", { class: "sm-line sm-chips" }, ...chips) : null);
  }
  field(label, text, send) {
    const breaks = text.includes("\r\n") ? "\r\n" : "\n"; // in a page they are all of one kind
    const more = { placeholder: "null", onchange: (event) => send(event.target.value.replaceAll("\n", breaks)) };
    const n_lines = text.split(/\r\n?|\n/).length;
    if (n_lines > 1 || text.length > LONG) return area(label, text, () => {}, { ...more, rows: Math.min(8, n_lines + Math.floor(text.length / LONG)) });
    const leave = (event) => { if (event.key === "Enter") { event.target.blur(); this.root.focus(); } };
    return input(label, text, () => {}, { ...more, onkeydown: leave });
  }
}

function isUnsent(control) {
  return "sent" in control && control.value !== control.sent;
}

function sourceParts(source, isNamed) {
  const parts = source.parts.map(([text, labels, isCopied]) => (labels
    ? element("mark", { class: isCopied ? "sm-copied" : "sm-found", title: isCopied ? `${labels}: copied from here` : `${labels}: stands here, too` },
      text, element("sup", { class: "sm-sure" }, labels))
    : text));
  return [isNamed ? element("div", { class: "sm-faint" }, source.name) : null, element("div", { class: "sm-source" }, ...parts)].filter(Boolean);
}

export default {
  render({ model, el }) {
    const review = new Review(model, el);
    return () => review.close();
  },
};
