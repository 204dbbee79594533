// The playground: one prompt and one schema under two settings.

const NAMES = ["A", "B", "C", "D"];
const SETTINGS = {
  model: ["Model", "the one in use"], temperature: ["Temperature", "0"], top_p: ["Top p", "1"],
  min_p: ["Min p", "0"], seed: ["Seed", "0"], max_tokens: ["Max tokens", "1024"],
};
const MAX_WHOLE = 32; // characters of a date or a number, which has no place to break
let lists = 0; // of models, in all views of the page

class Playground {
  constructor(model, el) {
    this.model = model;
    this.kernel = new Kernel(model, () => this.drawAnswers());
    this.read();
    this.status = statusLine();
    this.list = `sm-models-${(lists += 1)}`;
    this.root = element("div", { class: "sm sm-playground" });
    el.append(this.root);
    const stops = [onChange(model, ["state"], () => this.reread()), onChange(model, ["data"], () => this.drawAnswers()), () => this.kernel.close()];
    this.close = () => stops.forEach((stop) => stop());
    this.draw();
  }
  read() {
    this.text = this.model.get("state");
    this.state = JSON.parse(this.text);
  }
  reread() {
    if (this.model.get("state") === this.text) return; // this view's own change
    this.read();
    this.draw();
  }
  change(alter) {
    alter();
    this.text = JSON.stringify(this.state);
    this.kernel.save(this.text);
  }

  draw() {
    this.runAll = button("Run all", () => this.run(this.state.settings.map((_, number) => number)), { text: "▶ Run all", kind: "sm-main" });
    this.stop = button("Stop", () => this.kernel.interrupt());
    this.columns = this.state.settings.map((setting, number) => this.column(setting, number));
    const models = element("datalist", { id: this.list }, ...this.kernel.data.models.map((name) => element("option", { value: name })));
    const bar = element("div", { class: "sm-bar", role: "toolbar", "aria-label": "Playground" },
      element("span", { class: "sm-title" }, "Playground"), this.runAll, this.stop,
      element("span", { class: "sm-space" }), element("span", { class: "sm-faint" }, "Ctrl+Enter runs all"));
    this.root.replaceChildren(bar, models,
      element("div", { class: "sm-pair", onkeydown: (event) => this.keys(event) }, this.box("Schema", "schema", 6), this.box("Prompt", "prompt", 6)),
      element("div", { class: "sm-pair" }, ...this.columns.map((column) => column.root)),
      this.status);
    this.drawAnswers();
  }
  box(label, name, rows) {
    return element("div", { class: "sm-box" }, element("div", { class: "sm-heading" }, label),
      area(label, this.state[name], (text) => this.change(() => { this.state[name] = text; }), { rows }));
  }
  column(setting, number) {
    const name = NAMES[number];
    const controls = Object.entries(SETTINGS).map(([key, [label, placeholder]]) => element("label", { class: `sm-setting sm-of-${key}` },
      element("span", { class: "sm-faint" }, label),
      input(`${label} of ${name}`, setting[key], (text) => this.change(() => { setting[key] = text; }), {
        placeholder, kind: "sm-mono", ...(key === "model" ? { list: this.list } : {}),
      })));
    const run = button(`Run ${name}`, () => this.run([number]), { text: "Run" });
    const answer = element("div", { class: "sm-answer", role: "region", "aria-label": `Answer of ${name}` });
    const head = element("div", { class: "sm-line" }, element("span", { class: "sm-letter" }, name), run,
      copyButton(`Copy ${name} as cell`, "Copy as cell", () => this.kernel.data.cells[number]));
    const root = element("div", { class: "sm-box", role: "group", "aria-label": `Setting ${name}` }, head, element("div", { class: "sm-settings" }, ...controls), answer);
    return { root, run, answer };
  }
  keys(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    this.runAll.click();
  }

  run(numbers) {
    this.kernel.ask({ kind: "run", settings: numbers });
    this.drawAnswers();
  }
  drawAnswers() {
    const { answers, cells, problem: said } = this.kernel.data;
    const { isBusy, isLost } = this.kernel;
    const problem = isLost ? LOST : said;
    for (const each of [this.runAll, ...this.columns.map((column) => column.run)]) each.disabled = isBusy || isLost;
    this.stop.hidden = !isBusy;
    const isOld = answers.map((answer, number) => answer && answer.cell !== cells[number]);
    this.columns.forEach((column, number) => {
      const other = number && !isOld[0] && !isOld[number] ? answers[0] : null; // what differs from the first is marked
      const note = oldNote(isOld[number], "of an earlier prompt, schema or setting");
      column.answer.replaceChildren(...note, ...(answers[number] ? answerParts(answers[number], other) : []));
    });
    say(this.status, isBusy ? "running …" : problem || "", Boolean(problem) && !isBusy);
  }
}

function answerParts(answer, other) {
  if (answer.problem) return [element("div", { class: "sm-problem" }, answer.problem)];
  const rows = answer.rows.map((row, y) => row.map((text, x) => {
    const isOther = other?.rows && (other.rows[y]?.[x] ?? null) !== text;
    const whole = text.length <= MAX_WHOLE && !/\s/.test(text) ? "sm-whole" : "";
    const attributes = isOther ? { class: `sm-differs ${whole}`, title: "another answer than A's" } : { class: whole };
    const cell = element("span", attributes, text || "–");
    return element("span", {}, cell, element("span", { class: "sm-sure", title: "how sure the model was" }, answer.sure[y][x]));
  }));
  return [element("div", { class: "sm-scroll" }, table(answer.columns, rows)), ...belowAnswer(answer)];
}

export default {
  render({ model, el }) {
    const playground = new Playground(model, el);
    return () => playground.close();
  },
};
