// The answers of the report, kept in sight: a choice selects the requests of one.
class Answers {
  constructor(data, state) {
    this.data = data;
    this.state = state;
    const list = document.querySelector("ol.verdicts");
    this.element = null;
    if (!list) return;
    const first = list.previousElementSibling?.tagName === "H2" ? list.previousElementSibling : list, moved = [];
    for (let e = first; e && (e === first || e.tagName !== "H2"); e = e.nextElementSibling) {
      if (e !== first && !["P", "OL", "UL"].includes(e.tagName)) break;
      moved.push(e);
    }
    this.element = make("aside", { class: "answers", "aria-label": "Answers" });
    first.before(this.element);
    this.element.append(...moved);
    this.buttons = [...list.children].map((item, i) => this.button(item, i + 1));
  }

  button(item, number) {
    // Its examples open here; the section that shows one in time is a link of the request.
    for (const link of all('a[href^="#request-"]', item)) {
      const id = link.getAttribute("href").slice("#request-".length);
      if (this.data.row(id) === null) continue;
      link.setAttribute("href", State.fragment({ ...State.parse(""), req: id, answer: number }));
      link.textContent = id;
    }
    const members = this.data.answer.reduce((n, a) => n + (a === number ? 1 : 0), 0);
    if (members === 0) return null;
    const button = make("button", { class: "choose", "aria-pressed": "false", "data-tip": `Key ${number}`, onclick: () => this.choose(number) }, `Select ${counted(members, "request", "requests")}`);
    (item.querySelector("p.links") ?? item).prepend(button);
    return button;
  }
  choose(number) {
    if (!this.buttons?.[number - 1]) return;
    this.state.set({ answer: this.state.now.answer === number ? 0 : number, t: null, d: null, req: "", w: null });
  }
  show(state) {
    this.buttons?.forEach((button, i) => {
      if (!button) return;
      button.setAttribute("aria-pressed", state.answer === i + 1);
      button.closest("li").classList.toggle("chosen", state.answer === i + 1);
    });
  }
}
