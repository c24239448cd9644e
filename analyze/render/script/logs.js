// Lines of log files, where the page was made with some.
const kPlaceable = 1e7;  // ns

class LogLines {
  constructor(json, texts) {
    Object.assign(this, { leftOut: json.left_out, said: json.said });
    this.byRow = new Map();
    json.rows.forEach((row, i) => {
      if (!this.byRow.has(row)) this.byRow.set(row, []);
      this.byRow.get(row).push({ at: json.at[i], within: json.within[i], level: texts[json.levels[i]] || "", text: texts[json.texts[i]] || "",
                                 source: texts[json.sources[i]], joined: json.joined[i], how: texts[json.how[i]] });
    });
  }
  of(row) { return this.byRow.get(row) ?? []; }
  // Those of which it can be said where in the request they were written.
  placed(row, took) { return this.of(row).filter(line => line.joined && line.at !== null && (line.within <= kPlaceable || line.within <= took / 10)); }
}

// null: the page was made without log files.
function logsOf(data, row) {
  if (!data.logs) return null;
  const lines = data.logs.of(row);
  const when = line => line.at === null ? "–" : `${line.at < 0 ? "−" : "+"}${duration(Math.abs(line.at))}`;
  return make("div", { class: "logs" }, make("h4", null, "Log lines"),
    lines.length === 0 ? make("p", { class: "soft" }, "No line is joined with this request, and none may lie in it.") :
      make("div", { class: "wide" }, make("table", { class: "parts" },
        make("thead", null, make("tr", null, ["written", "time to"].map(name => make("th", { scope: "col" }, name)), ["line", "in", "joined"].map(name => make("th", { class: "left", scope: "col" }, name)))),
        make("tbody", null, lines.map(line => make("tr", { class: ["error", "fatal"].includes(line.level) ? "bad" : null }, make("td", null, when(line)), make("td", null, line.at === null ? "–" : duration(line.within)),
          make("td", { class: "left" }, line.level ? `${line.level}: ${line.text}` : line.text), make("td", { class: "left" }, line.source), make("td", { class: "left" }, line.how)))))),
    make("p", { class: "soft" }, data.logs.said.join(" "), data.logs.leftOut ? ` ${counted(data.logs.leftOut, "line is", "lines are")} not on this page.` : ""));
}
