// What was behind a request's waits: a chain for each, the wait first and then what the one behind it did in that time.
function behindOf(data, state, row) {
  const chains = [...data.behind.get(row) ?? []].sort((a, b) => b.time - a.time);
  if (chains.length === 0) return null;
  const took = data.duration[row];
  const step = ({ label, request, text }, first) => {
    const other = request && request !== data.id(row) ? data.row(request) : null;
    return make("span", { class: "step" }, first ? null : make("span", { class: "soft" }, " → "), make("i", { class: "swatch", style: { background: data.colour(label) } }), label.text,
      text ? make("span", { class: "soft" }, ` ${text}`) : null,
      request && request !== data.id(row) ? [make("span", { class: "soft" }, first ? " – " : " "), other === null ? request : [shorten(data.title(other), 60), " ", requestLink(state, request)]] : null);
  };
  return make("section", { class: "behind" }, make("h4", null, "What was behind it"), make("ol", null, chains.slice(0, 10).map(chain => make("li", null,
    make("span", { class: "time" }, duration(chain.time)), make("span", { class: "share" }, make("i", { style: { width: Math.min(100, chain.time / took * 100) + "%", background: data.colour(chain.steps[0].label) } })),
    make("span", { class: "steps" }, chain.steps.map((s, i) => step(s, i === 0)), chain.beyond ? make("span", { class: "soft" }, " → not recorded") : null)))));
}

function requestLink(state, id) {
  return make("a", { href: state.with({ req: id, w: null }), onclick: event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    state.set({ req: id, w: null });
  } }, id);
}
