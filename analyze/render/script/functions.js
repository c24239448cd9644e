// The functions in which a request was on a CPU, and in which it waited, where stacks were taken.
function functionsOf(data, row) {
  const [samples, waits] = data.stacks, served = data.value("role", row) === "server" ? row : data.peer(row);
  if (!samples && !waits) return null;
  const own = data.functions.get(served) ?? [];
  const name = f => f.function ? [make("code", null, f.function), f.called ? [make("span", { class: "soft" }, " calls "), make("code", null, f.called)] : null, f.caller ? make("span", { class: "soft" }, ` from ${f.caller}`) : null]
    : !f.stacked ? make("span", { class: "soft" }, "no stack was taken") : f.called ? [make("code", null, f.called), make("span", { class: "soft" }, " and no function of the application")] : make("span", { class: "soft" }, "no function with a name");
  const list = (title, waited, often, none) => {
    const these = own.filter(f => f.waited === waited), whole = these.reduce((sum, f) => sum + f.value, 0);
    return [make("h5", null, title), these.length === 0 ? make("p", { class: "soft" }, none) : make("ol", null, these.map(f => make("li", null,
      make("span", { class: "time" }, often(f)), make("span", { class: "share" }, make("i", { style: { width: f.value / whole * 100 + "%" } })), make("span", { class: "steps" }, name(f)))))];
  };
  return make("section", { class: "behind functions" }, make("h4", null, "Functions"),
    samples ? list("On a CPU", false, f => counted(f.value, "sample", "samples"), "No sample is known to be of this request.") : null,
    waits ? list("Waiting for 1 ms and more", true, f => `${f.count > 1 ? f.count + " × " : ""}${duration(f.value / f.count)}`, "No wait of 1 ms and more is known to be of this request; parked goroutines are none.") : null);
}
