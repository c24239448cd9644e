// The map of services as a filter: a service leaves the requests that it serves and makes, a call those of that call.
class ServiceMap {
  constructor(data, state) {
    this.data = data;
    this.state = state;
    this.element = null;
    const figure = document.getElementById("topology");
    if (!figure || !data.services || data.services.calls.length < 2) return;
    this.all = make("button", { hidden: true, onclick: () => state.set({ service: "", call: "" }) }, "All services");
    this.element = make("details", { class: "pane map", open: true }, make("summary", null, "Services"));
    figure.before(this.element);
    const hint = make("p", { class: "hint" }, "Choose a service or a call: the requests below are those of it. ", this.all);
    this.element.append(hint, figure);
    const { names, calls } = data.services;
    this.parts = [...all("g.call", figure).map(part => this.part(part, "call", calls[part.dataset.number])),
                  ...all("g.node", figure).map(part => this.part(part, "service", names[part.dataset.number]))];
  }

  part(element, kind, value) {
    const choose = () => this.state.set({ service: "", call: "", [kind]: this.state.now[kind] === value ? "" : value });
    const text = element.textContent.replace(/\s+/g, " ").trim();
    for (const [name, to] of Object.entries({ role: "button", tabindex: "0", "aria-label": `${value}: ${[...element.querySelectorAll("text")].map(t => t.textContent).join(", ") || text}` }))
      element.setAttribute(name, to);
    element.addEventListener("click", choose);
    element.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose();
    });
    return { element, kind, value };
  }

  show(state) {
    if (!this.element) return;
    this.all.hidden = !state.service && !state.call;
    for (const { element, kind, value } of this.parts) element.setAttribute("aria-pressed", state[kind] === value);
  }

  // null: all requests. What the page does not know has none.
  static test(data, { service, call }) {
    if (!service && !call || !data.services) return null;
    const { names, calls, ends, of } = data.services;
    if (call) {
      const wanted = calls.indexOf(call) + 1;
      return row => wanted !== 0 && of[row] === wanted;
    }
    const node = names.indexOf(service);
    const own = row => ends[of[row] - 1][data.value("role", row) === "server" ? 1 : 0];
    const rows = Array.from({ length: data.size }, (_, row) => row).filter(row => of[row]);
    // A service is at one end of its requests, what was not recorded at neither.
    const recorded = rows.some(row => own(row) === node);
    return row => node >= 0 && of[row] > 0 && (recorded ? own(row) === node : ends[of[row] - 1].includes(node));
  }
}
