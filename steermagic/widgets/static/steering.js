// The steering view while a run goes on, and what serves the frozen views of the page afterwards.
//
// Python sends batches (see steering.py). Each is merged into plain state; a frame later the page is
// brought up to it. Whatever a model or a user wrote enters the page as text, never as markup.

const ROW_HEIGHT = 26; // pixels; of the table only the rows in sight are in the page
const OVERSCAN = 8;
const READ_ALOUD_MS = 5000;
const CHOSEN_BY = {
  forced: "forced: the schema allows nothing else here",
  closed: "closed: max_tokens was used up, and this is a short way to a valid end",
  chosen: "chosen by the model",
  narrowed: "narrowed: the schema overruled the model’s favourite",
};

export default { render };

function render({ model, el }) {
  const view = liveView(model.get("head"), model.widget_manager);
  model.on("msg:custom", view.take);
  el.append(view.root);
  const stopServing = serve(view.root);
  serveFrozenViews();
  return () => {
    model.off("msg:custom", view.take);
    stopServing();
    view.stop();
  };
}

// ---------------------------------------------------------------------------------------------
// The live view

export function liveView(head, manager) {
  const style = (name) => ({ style: head.styles[name] ?? "" });
  const summary = h("span", style("summary"));
  const aloud = h("span", { class: "steermagic-aloud", role: "status" });
  const bar = h("div", { ...style("bar"), role: "img", "aria-label": "how tokens came about" });
  const legend = h("div", style("legend"));
  const tokens = tokenPane(style);
  const json = h("pre", style("json"));
  const jsonBox = details("JSON", json, style);
  const table = head.columns.length ? tablePane(head, style) : null;
  const copied = h("div", {});
  const root = h(
    "div",
    { class: "steermagic-view steermagic-live mathjax_ignore", role: "region", "aria-label": "steering view", ...style("view") },
    h("div", { class: "steermagic-header", ...style("header") },
      h("span", {}, h("b", {}, head.model), " ", summary), cancelButton(manager)),
    bar,
    head.has_tokens ? tokens.root : "",
    legend,
    head.has_tokens && !head.has_rows ? jsonBox : "",
    table?.root ?? "",
    copied,
    aloud,
  );
  const copies = new Map(); // row number -> what was copied from its inputs
  let latest = { summary: "", shares: {} };
  let frame = 0;
  let readAt = -READ_ALOUD_MS;

  function take(message) {
    if (message.kind !== "batch") return;
    latest = message;
    for (const entry of message.rows) tokens.take(entry);
    for (const entry of message.ended) {
      table?.take(entry);
      if (entry.copied?.length) copies.set(entry.row, entry.copied);
    }
    frame ||= requestAnimationFrame(paint);
  }

  function paint() {
    frame = 0;
    summary.textContent = `· ${latest.summary}`;
    paintBar(bar, latest.shares, style);
    paintLegend(legend, latest.shares, head, style);
    tokens.paint();
    table?.paint();
    if (jsonBox.open) json.textContent = indented(tokens.text());
    if (!head.has_rows) showCopied(copies.keys().next().value);
    const now = performance.now();
    if (now - readAt >= READ_ALOUD_MS) [aloud.textContent, readAt] = [latest.summary, now];
  }

  let shownCopy;
  function showCopied(row) {
    if (row === shownCopy || !copies.has(row)) return;
    shownCopy = row;
    copied.replaceChildren(...copies.get(row).flatMap((text) => markedText(text, style)));
  }
  const rowOf = (element) => element.closest?.("[data-row]")?.dataset.row;
  const onPoint = (event) => showCopied(Number(rowOf(event.target) ?? NaN));
  root.addEventListener("pointerover", onPoint);
  root.addEventListener("steermagic-cell", (event) => showCopied(Number(rowOf(event.target) ?? NaN)));
  jsonBox.addEventListener("toggle", paint);

  const stop = () => cancelAnimationFrame(frame);
  return { root, take, stop };
}

function cancelButton(manager) {
  // A busy kernel reads no message, but it can be interrupted.
  if (!manager?.kernel?.interrupt) return "";
  const button = h("button", { type: "button", class: "steermagic-cancel" }, "Cancel");
  button.addEventListener("click", () => {
    button.disabled = true;
    button.textContent = "Cancelling…";
    manager.kernel.interrupt();
  });
  return button;
}

function paintLegend(legend, shares, head, style) {
  const origins = Object.keys(shares);
  if (legend.dataset.origins === origins.join()) return;
  legend.dataset.origins = origins.join();
  const words = origins.flatMap((origin) => [h("span", style(origin), head.legend[origin]), " \u00a0 "]);
  legend.replaceChildren(...words.slice(0, -1));
}

function paintBar(bar, shares, style) {
  const parts = Object.entries(shares).map(([origin, share]) => {
    const part = h("span", { ...style(`bar-${origin}`), title: `${Math.round(share)}% ${origin}` });
    Object.assign(part.style, { display: "inline-block", height: "4px", width: `${share}%` });
    return part;
  });
  bar.replaceChildren(...parts);
  bar.setAttribute(
    "aria-label",
    parts.map((part) => part.title).join(", ") || "no tokens yet",
  );
}

// Tokens: one span each, in lines. An entry says from where on its tokens count, how far the row
// was cut before, and whether it has all tokens of the row, which mends what a page has missed.
function tokenPane(style) {
  const root = h("div", { class: "steermagic-tokens", ...style("tokens") });
  const rows = new Map();
  let isFollowing = true;
  root.addEventListener("scroll", () => {
    isFollowing = root.scrollHeight - root.scrollTop - root.clientHeight < 8;
  });

  function rowAt(number) {
    if (!rows.has(number)) {
      const box = h("div", {});
      const after = [...rows.keys()].filter((other) => other > number);
      root.insertBefore(box, after.length ? rows.get(Math.min(...after)).box : null);
      rows.set(number, { number, box, entries: [], spans: [], hasGap: false, nPainted: 0 });
    }
    return rows.get(number);
  }

  function take(entry) {
    const row = rowAt(entry.row);
    if (entry.whole && row.hasGap) cut(row, 0), (row.hasGap = false);
    if (entry.cut !== null) cut(row, entry.cut);
    while (row.entries.length < entry.at) {
      row.hasGap = true;
      row.entries.push(0);
    }
    for (const token of entry.tokens.slice(row.entries.length - entry.at)) row.entries.push(token);
  }

  function cut(row, n) {
    for (const span of row.spans.splice(n)) span?.remove();
    row.entries.length = Math.min(row.entries.length, n);
    row.nPainted = Math.min(row.nPainted, n);
    for (let line = row.box.lastChild; line && !line.hasChildNodes(); line = row.box.lastChild) {
      line.remove();
    }
  }

  function paint() {
    for (const row of rows.values()) {
      for (; row.nPainted < row.entries.length; row.nPainted += 1) {
        row.spans.push(append(row, row.entries[row.nPainted]));
      }
    }
    if (isFollowing) root.scrollTop = root.scrollHeight;
  }

  function append(row, entry) {
    if (!entry) return null;
    const [text, origin, pointer = "", beginsLine, p, wanted, wantedP, isThought] = entry;
    const span = h("span", { ...style(origin), "data-origin": origin, "data-place": `${row.number}${pointer}` });
    span.textContent = text;
    if (p) span.dataset.p = p;
    if (wanted != null) Object.assign(span.dataset, { wanted, wantedP });
    if (isThought) span.dataset.thought = "1";
    if (beginsLine || !row.box.lastChild) {
      row.box.append(h("div", { class: "steermagic-line", "data-row": row.number }));
    }
    row.box.lastChild.append(span);
    return span;
  }

  function text() {
    const entries = [...rows.values()].flatMap((row) => row.entries);
    return entries.map((entry) => (entry && !entry[7] ? entry[0] : "")).join("");
  }

  return { root, take, paint, text };
}

// The table: rows of one height, so that those in sight follow from how far it is scrolled.
function tablePane(head, style) {
  const body = h("tbody", {});
  const label = head.has_rows ? [h("th", { scope: "col", ...style("head") }, "row")] : [];
  const names = head.columns.map((name) => h("th", { scope: "col", ...style("head") }, name));
  const table = h("table", style("table"), h("thead", {}, h("tr", {}, ...label, ...names)), body);
  const box = h("div", { class: "steermagic-rows", ...style("rows"), tabindex: "0", role: "group" }, table);
  const root = details("table", box, style);
  const toggle = root.firstChild;
  root.open = head.has_rows;
  const lines = new Map(); // row number -> its lines
  let sorted = [];
  let isStale = false;
  let shown = "";

  function take(entry) {
    if (entry.from) lines.set(entry.row, [...(lines.get(entry.row) ?? []).slice(0, entry.from), ...entry.lines]);
    else lines.set(entry.row, entry.lines);
    isStale = true;
  }

  function paint() {
    if (isStale) {
      sorted = [...lines.entries()].sort(([a], [b]) => a - b).flatMap(([row, own]) => own.map((line) => [row, line]));
      toggle.textContent = `table · ${sorted.length} row${sorted.length === 1 ? "" : "s"}`;
      box.setAttribute("aria-label", `table of ${sorted.length} rows; arrow keys move`);
      table.setAttribute("aria-rowcount", sorted.length + 1);
    }
    if (root.open) paintRows();
  }

  function paintRows() {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - OVERSCAN);
    const last = Math.min(sorted.length, first + Math.ceil((box.clientHeight || 400) / ROW_HEIGHT) + 2 * OVERSCAN);
    if (!isStale && shown === `${first} ${last}`) return;
    isStale = false;
    shown = `${first} ${last}`;
    const rows = sorted.slice(first, last).map(([row, line], i) => {
      line.element ??= tableRow(row, line); // kept, for it may be pointed at
      line.element.setAttribute("aria-rowindex", first + i + 2);
      return line.element;
    });
    body.replaceChildren(spacer(first), ...rows, spacer(sorted.length - last));
  }

  function tableRow(row, line) {
    const tr = h("tr", { "data-row": row });
    tr.style.height = `${ROW_HEIGHT}px`;
    if (head.has_rows) tr.append(h("th", { scope: "row", ...style("number") }, line.label));
    if (line.error != null) {
      tr.append(h("td", { ...style("failed"), colspan: head.columns.length, "data-place": `${row}` }, line.error));
      return tr;
    }
    for (const [text, place, odds] of line.cells) {
      const td = h("td", { ...style("cell"), "data-place": place }, text);
      if (odds.length) td.dataset.odds = JSON.stringify(odds);
      tr.append(td);
    }
    return tr;
  }

  function spacer(nRows) {
    const tr = h("tr", { "aria-hidden": "true" });
    tr.style.height = `${nRows * ROW_HEIGHT}px`;
    return nRows ? tr : "";
  }

  box.addEventListener("scroll", () => requestAnimationFrame(paintRows));
  root.addEventListener("toggle", paint);
  return { root, take, paint };
}

function markedText(text, style) {
  const parts = text.parts.flatMap(([words, labels, ended, places]) => {
    if (!labels.length) return [words];
    const mark = h("mark", { ...style("mark"), "data-places": JSON.stringify(places) }, words);
    return ended.length ? [mark, h("span", style("label"), ` [${ended.join(", ")}]`)] : [mark];
  });
  return [
    h("div", style("copied"), `copied from ${text.name}`),
    h("div", { class: "steermagic-source", ...style("source") }, ...parts),
  ];
}

function details(name, content, style) {
  return h("details", style("details"), h("summary", style("toggle"), name), content);
}

// The text of JSON that may end anywhere, with an indented line for each value.
export function indented(text) {
  let [out, depth, isString] = ["", 0, false];
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (isString) {
      out += c;
      if (c === "\\") out += text[(i += 1)] ?? "";
      else if (c === '"') isString = false;
    } else if ("{[".includes(c)) {
      const isEmpty = "}]".includes(text[i + 1] ?? " ");
      out += isEmpty ? c + text[(i += 1)] : `${c}\n${"  ".repeat((depth += 1))}`;
    } else if ("}]".includes(c)) {
      out += `\n${"  ".repeat((depth = Math.max(depth - 1, 0)))}${c}`;
    } else if (c === ",") {
      out += `,\n${"  ".repeat(depth)}`;
      if (text[i + 1] === " ") i += 1;
    } else {
      out += c;
      isString = c === '"';
    }
  }
  return out;
}

// ---------------------------------------------------------------------------------------------
// The card, and what belongs together: for live views and, as long as the page is open, frozen ones

const served = new WeakSet();
let isServingPage = false;

function serveFrozenViews() {
  if (isServingPage) return;
  isServingPage = true;
  const meet = (event) => {
    const root = event.target.closest?.(".steermagic-view");
    if (root && !served.has(root)) serve(root, event);
  };
  document.addEventListener("pointerover", meet);
  document.addEventListener("focusin", meet);
}

export function serve(root, first) {
  served.add(root);
  // A popover is above all of the page: the area of an output would cut the card off.
  const card = h("div", { class: "steermagic-card", role: "status", popover: "manual" });
  root.append(card);
  for (const pane of root.querySelectorAll(".steermagic-tokens")) {
    makeFocusable(pane, "tokens; arrow keys move");
  }
  for (const table of root.querySelectorAll("table")) {
    makeFocusable(table.parentElement, "table; arrow keys move");
  }

  let current = null;
  function point(element) {
    current = element;
    light(root, element);
    showCard(root, card, element);
    document.addEventListener("scroll", follow, true); // which the card itself does not do
    if (element?.tagName === "TD") element.dispatchEvent(new Event("steermagic-cell", { bubbles: true }));
  }
  function follow() {
    if (!card.hidden && current?.isConnected) return placeCard(card, current);
    card.hidden = true;
    return document.removeEventListener("scroll", follow, true);
  }
  const pointed = (event) => event.target.closest?.("[data-place],[data-places]") ?? null;
  const listeners = {
    pointerover: (event) => pointed(event) && point(pointed(event)),
    pointerleave: () => point(null),
    focusout: () => point(null),
    keydown: (event) => {
      if (event.key === "Escape") return point(null);
      const pane = event.target;
      if (current && !current.isConnected) current = sameIn(pane, current); // the table was painted anew
      const next = neighbour(pane, pane.contains(current) ? current : null, event.key);
      if (!next) return undefined;
      event.preventDefault();
      event.stopPropagation(); // the notebook has its own use for arrow keys
      next.scrollIntoView({ block: "nearest", inline: "nearest" });
      return point(next);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) root.addEventListener(name, listener);
  if (first?.type === "pointerover") listeners.pointerover(first);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) root.removeEventListener(name, listener);
    document.removeEventListener("scroll", follow, true);
  };
}

function makeFocusable(pane, label) {
  pane.tabIndex = 0;
  pane.setAttribute("role", "group");
  if (!pane.hasAttribute("aria-label")) pane.setAttribute("aria-label", label);
}

// The token or cell that an arrow key leads to from `current`.
function neighbour(pane, current, key) {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[key];
  if (!step) return null;
  const isTable = pane.querySelector("td[data-place]") !== null;
  const isDown = key === "ArrowDown" || key === "ArrowUp";
  if (!current) return pane.querySelector("[data-place]");
  if (isTable && isDown) {
    const column = [...current.parentElement.children].indexOf(current);
    const row = step > 0 ? current.parentElement.nextElementSibling : current.parentElement.previousElementSibling;
    const cell = row?.children[Math.min(column, row.children.length - 1)];
    return cell?.matches("[data-place]") ? cell : null;
  }
  const all = [...pane.querySelectorAll(isTable ? "td[data-place]" : "[data-origin]")];
  // Up and down go to the next token that the model had a say in.
  const candidates = isDown ? all.filter((each) => each === current || each.dataset.origin !== "forced") : all;
  return candidates[candidates.indexOf(current) + step] ?? null;
}

function placesOf(element) {
  return element.dataset.places ? JSON.parse(element.dataset.places) : [element.dataset.place];
}

const sameIn = (pane, element) =>
  pane.querySelector(`${element.tagName}[data-place="${CSS.escape(element.dataset.place ?? "")}"]`);

// Whether `place` is that of the cell, or inside it.
const isWithin = (place, cell) => place === cell || place.startsWith(`${cell}/`);

function light(root, element) {
  for (const name of ["steermagic-lit", "steermagic-here"]) {
    for (const lit of root.querySelectorAll(`.${name}`)) lit.classList.remove(name);
  }
  if (!element) return;
  element.classList.add("steermagic-here");
  const all = [...root.querySelectorAll("[data-place],[data-places]")].map((each) => [each, placesOf(each)]);
  const own = placesOf(element);
  const isCell = element.tagName === "TD";
  // Braces belong to an object as a whole, which says nothing.
  const values = isCell ? own : own.filter((mine) => !all.some(([, places]) => places.some((one) => one.startsWith(`${mine}/`))));
  for (const [other, places] of all) {
    const [inner, outer] = isCell ? [places, values] : [values, places];
    const isSame = other.tagName === "TD" || isCell ? isWithin : (a, b) => a === b;
    if (inner.some((a) => outer.some((b) => isSame(a, b)))) {
      other.classList.add("steermagic-lit");
    }
  }
}

function showCard(root, card, element) {
  card.replaceChildren();
  card.hidden = element === null;
  if (!element) return;
  if (element.title) element.removeAttribute("title"); // the card says it
  card.append(...cardLines(root, element));
  if (!card.childNodes.length) {
    card.hidden = true;
    return;
  }
  card.togglePopover?.(true);
  placeCard(card, element);
}

// Below the element; above it where the page ends.
function placeCard(card, element) {
  const box = element.getClientRects()[0] ?? element.getBoundingClientRect();
  const page = document.documentElement;
  const above = box.top - card.offsetHeight - 6;
  const isBelow = box.bottom + 6 + card.offsetHeight <= page.clientHeight || above < 0;
  card.style.left = `${Math.max(0, Math.min(box.left, page.clientWidth - card.offsetWidth - 8))}px`;
  card.style.top = `${isBelow ? box.bottom + 6 : above}px`;
}

function cardLines(root, element) {
  if (element.tagName === "MARK") return [];
  const { origin, p, wanted, wantedP, thought } = element.dataset;
  const own = oddsOf(root, element);
  const value = own.length ? [h("div", { class: "steermagic-what" }, "the value")].concat(chances(own, element.textContent)) : [];
  if (element.tagName === "TD") return value;
  const lines = [h("div", { class: "steermagic-what" }, thought ? "thought before the answer" : CHOSEN_BY[origin])];
  if (p) lines.push(chance(visible(element.textContent), p, ""));
  if (wanted !== undefined) lines.push(chance(visible(wanted), wantedP, "forbidden by the schema"));
  return lines.concat(value);
}

function oddsOf(root, element) {
  if (element.dataset.odds) return JSON.parse(element.dataset.odds);
  if (element.dataset.origin === "forced" || !element.dataset.place) return [];
  const cell = root.querySelector(`td[data-odds][data-place="${CSS.escape(element.dataset.place)}"]`);
  return cell ? JSON.parse(cell.dataset.odds) : [];
}

const chances = (odds) => odds.map(([text, p]) => chance(text, p, ""));
const visible = (text) => text.replaceAll("\n", "↵").replaceAll(" ", "␣");

function chance(text, p, note) {
  const share = { "under 1%": 1, "over 99%": 99.5 }[p] ?? Number.parseFloat(p);
  const fill = h("span", {});
  fill.style.width = `${share}%`;
  return h(
    "div",
    { class: "steermagic-chance" },
    h(note ? "s" : "span", { class: "steermagic-text" }, text),
    h("span", { class: "steermagic-fill", "aria-hidden": "true" }, fill),
    h("span", { class: "steermagic-p" }, p),
    h("span", { class: "steermagic-note" }, note),
  );
}

// An element; `attributes` are set as such, children are elements or text.
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== ""));
  return element;
}
