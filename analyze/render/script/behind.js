// What was behind a request's waits, as a tree: the wait first, and below it what the one behind it did in that time.
const kLeastShare = 0.01, kNearlyAll = 0.95;  // of the duration; of the time above

function behindOf(data, state, row) {
  const chains = data.behind.get(row) ?? [];
  if (chains.length === 0) return null;
  const took = data.duration[row], root = { time: 0, below: [] };
  for (const chain of chains) {
    let at = root;
    for (const step of chain.steps) {
      let next = at.below.find(n => n.step.label === step.label && n.step.request === step.request && n.step.text === step.text);
      if (!next) at.below.push(next = { step, time: 0, below: [], beyond: 0 });
      next.time += chain.time;
      at = next;
    }
    if (chain.beyond) at.beyond += chain.time;
  }
  const said = ({ label, request, text }) => {
    const other = request && request !== data.id(row) ? data.row(request) : null;
    return [make("i", { class: "swatch", style: { background: data.colour(label) } }), label.text, text ? make("span", { class: "soft" }, ` ${text}`) : null,
      request && request !== data.id(row) ? [make("span", { class: "soft" }, " – "), other === null ? request : [shorten(data.title(other), 60), " ", requestLink(state, request)]] : null];
  };
  let left = 30;
  const list = (nodes, depth) => {
    const worth = nodes.sort((a, b) => b.time - a.time).filter((n, i) => (i === 0 && depth === 0 || n.time >= took * kLeastShare) && left-- > 0);
    return worth.length === 0 ? null : make("ol", null, worth.map(n => line(n, depth)));
  };
  const line = (n, depth) => {
    const steps = [said(n.step)];
    let last = n;
    for (let next = n; next; last = next ?? last) {  // what explains nearly all of it is on the same line
      next = last.below.find(b => b.time >= last.time * kNearlyAll);
      if (next) steps.push(make("span", { class: "soft" }, " → "), said(next.step));
    }
    const inLine = [];
    for (let at = n; at !== last; at = at.below.find(b => b.time >= at.time * kNearlyAll)) inLine.push(...at.below.filter(b => b.time < at.time * kNearlyAll));
    return make("li", null, make("div", { class: "cause" },
      make("span", { class: "time" }, duration(n.time)), make("span", { class: "share" }, make("i", { style: { width: Math.min(100, n.time / took * 100) + "%", background: data.colour(n.step.label) } })),
      make("span", { class: "steps", style: { paddingLeft: depth * 18 + "px" } }, depth > 0 ? make("span", { class: "soft" }, "└ ") : null, steps.flat(),
        last.beyond > 0 ? make("span", { class: "soft" }, ` → not recorded${last.beyond < last.time ? `, ${duration(last.beyond)} of it` : ""}`) : null)), list([...inLine, ...last.below], depth + 1));
  };
  return make("section", { class: "behind" }, make("h4", null, "What was behind it"), list(root.below, 0));
}

function requestLink(state, id) {
  return make("a", { href: state.with({ req: id, w: null }), onclick: event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    state.set({ req: id, w: null });
  } }, id);
}
