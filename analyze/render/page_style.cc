// How a page looks, in light, in dark and on paper.
#include "analyze/render/page.h"

namespace tailcap::render {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --fg: #1b1f24; --soft: #57606a; --line: #d8dee4; --bg: #ffffff; --panel: #f6f8fa;
  --accent: #0b5cad; --care: #8a5a00; --care-bg: #fff6e0; --alarm: #a40e26; --episode: #d55e00; --track: #e7ebef; --alarm-bg: #ffebe9; --good: #116329; --good-bg: #e6f6ea; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6edf3; --soft: #9aa4af; --line: #30363d; --bg: #0d1117; --panel: #161b22;
  --accent: #6cb2f7; --care: #e3b341; --care-bg: #2b2310; --alarm: #ff8b84; --episode: #ff9d4d; --track: #262d36; --alarm-bg: #32161a; --good: #6fd68a; --good-bg: #11271a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 20px 60px; max-width: 1180px; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 24px; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 19px; margin: 40px 0 10px; }
h3 { font-size: 16px; margin: 34px 0 4px; padding-top: 14px; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
p { margin: 6px 0; max-width: 85ch; } .soft, figcaption, .ci { color: var(--soft); } .soft { overflow-wrap: anywhere; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
code { font: 13px ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--panel); padding: 1px 5px; border-radius: 4px;
  overflow-wrap: anywhere; }
pre { font: 13px/1.5 ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--panel);
  border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
.box { border: 1px solid var(--line); border-radius: 8px; margin: 18px 0; overflow: hidden; }
.verdict { padding: 10px 16px; font-weight: 600; } .plain.verdict { background: var(--good-bg); color: var(--good); }
.care.verdict { background: var(--care-bg); color: var(--care); } .alarm.verdict { background: var(--alarm-bg); color: var(--alarm); }
dl.quality { margin: 0; padding: 10px 16px; display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; background: var(--panel); }
dl.quality dt { color: var(--soft); } dl.quality dd { margin: 0; overflow-wrap: anywhere; }
dt.care, dd.care { color: var(--care) !important; } dt.alarm, dd.alarm { color: var(--alarm) !important; font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 8px 0; }
th, td { padding: 5px 7px; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; font-size: 13px; border-bottom-width: 2px; }
th.name, td.name { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 150px; } .left { text-align: left; } td.long { min-width: 200px; }
.ci { display: block; font-size: 12px; } .warn { color: var(--care); } .bad { color: var(--alarm); }
th button { all: unset; cursor: pointer; color: inherit; } th button:focus-visible { outline: 2px solid var(--accent); }
th[aria-sort=ascending] button::after { content: " ▲"; } th[aria-sort=descending] button::after { content: " ▼"; }
figure { margin: 14px 0; } figure svg { width: 100%; max-width: 860px; height: auto; display: block; } figcaption { font-size: 13px; max-width: 95ch; }
figure svg g[color="black"] { color: var(--fg); } figure svg [stroke="black"] { stroke: currentColor; } figure svg [fill="black"] { fill: currentColor; }
figure svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.card { display: grid; grid-template-columns: 1fr 1fr; gap: 0 26px; align-items: start; } .card figure:only-child { grid-column: 1 / 3; }
@media (max-width: 800px) { .card { display: block; } }
svg.bar { width: 260px; height: 16px; display: block; } svg.bar + svg.bar { margin-top: 2px; height: 8px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; color: var(--soft); padding: 0; list-style: none; }
.legend i { print-color-adjust: exact; -webkit-print-color-adjust: exact; display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
ol.notes { font-size: 13px; color: var(--soft); max-width: 95ch; padding-left: 24px; } sup { font-size: 11px; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--accent); }
h4 { font-size: 14px; margin: 20px 0 4px; }
.verdicts { list-style: none; padding: 0; margin: 8px 0; } .verdicts li { padding: 8px 14px 9px 46px; border-left: 5px solid var(--line); margin: 8px 0; background: var(--panel);
  border-radius: 0 8px 8px 0; overflow-wrap: anywhere; position: relative; counter-increment: verdict; } .verdicts { counter-reset: verdict; }
.verdicts li::before { content: counter(verdict); position: absolute; left: 14px; top: 7px; font-size: 18px; font-weight: 700; color: var(--soft); }
.verdicts p { margin: 0; max-width: none; } .verdicts p.links { font-size: 13px; margin-top: 4px; } .verdicts p.links > * { margin-right: 16px; }
.verdicts li.severe { border-left-color: #c0272d; } .verdicts li.notable { border-left-color: #e69f00; } .verdicts li.note { border-left-color: #7f95a8; }
.mark { font-size: 12px; font-weight: 600; border: 1px solid var(--line); border-radius: 8px; padding: 0 8px; margin-right: 8px; color: var(--soft); background: var(--bg); }
svg.strip { width: 100%; height: 12px; display: block; margin: 6px 0 0; } .strip-ends { display: flex; justify-content: space-between; font-size: 11px; color: var(--soft); line-height: 1.2; }
nav { position: sticky; top: 0; z-index: 3; display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 11px; background: var(--bg); border-bottom: 1px solid var(--line);
  padding: 7px 0; font-size: 12.5px; } nav .search { margin-left: auto; } nav input { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: 1px 6px; width: 104px; } nav output { color: var(--soft); margin-right: 8px; }
[id] { scroll-margin-top: 64px; } [hidden] { display: none !important; }
#tip { position: fixed; z-index: 9; max-width: 460px; background: var(--fg); color: var(--bg); font-size: 12px; line-height: 1.4; padding: 4px 9px; border-radius: 6px;
  pointer-events: none; white-space: pre-line; overflow-wrap: anywhere; }
.zoomable { position: relative; } .zoomable svg.timed { cursor: crosshair; touch-action: pan-y; } .selection { position: absolute; background: var(--accent); opacity: .2; pointer-events: none; }
button.whole { position: absolute; right: 8px; top: 0; font: 12px system-ui, sans-serif; color: var(--fg); background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: 2px 9px; cursor: pointer; display: none; } svg.timed.zoomed ~ button.whole { display: block; }
svg.chart text { fill: var(--soft); font-size: 12px; } svg.chart text.title { fill: var(--fg); font-weight: 600; } svg.chart .axis path, svg.chart path.grid { stroke: var(--line); fill: none; }
svg.chart .curve { fill: none; stroke-width: 2px; vector-effect: non-scaling-stroke; } svg.chart .thin { stroke-width: 1px; } svg.chart .hit { fill: transparent; } svg.chart .hit:hover { fill: var(--accent); fill-opacity: .16; }
.episode { fill: var(--episode); fill-opacity: .2; } .episode.outline { fill-opacity: .12; stroke: var(--episode); stroke-width: 1.5px; } svg.strip .episode { fill-opacity: .85; } .lost { fill: #cc79a7; fill-opacity: .4; } .collection { fill: #56b4e9; fill-opacity: .35; } svg.strip .track { fill: var(--track); }
.ma, .mr, .ms { stroke-width: 2px; vector-effect: non-scaling-stroke; } .ma { stroke: #e69f00; } .mr { stroke: #0072b2; } .ms { stroke: #009e73; } .marked { fill: var(--accent); fill-opacity: .1; }
figure svg.timed { max-width: none; } .card figure svg { max-width: 860px; } details.id { margin: 0; } details.id summary { color: inherit; list-style: none; } details.id summary:hover { text-decoration: underline dotted; }
details.id code { white-space: nowrap; } tr.last td { color: var(--soft); }
i.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 7px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
table.tail td { vertical-align: middle; } table.tail tr.total td { font-weight: 600; } table.tail tr.total td { border-top: 2px solid var(--line); }
table.tail .ci { margin-left: 18px; font-weight: 400; } table.stacked td { border-bottom: 0; padding: 2px 8px; }
table.stacked td.track { width: 60%; min-width: 260px; } table.stacked svg.bar { width: 100%; height: 18px; } svg.bar rect { stroke: var(--bg); stroke-width: 0.5px; vector-effect: non-scaling-stroke; }
.tag { font-size: 11px; font-weight: 600; color: #fff; background: #b54708; border-radius: 8px; padding: 0 7px; margin-left: 8px; }
.tag.aside { color: var(--soft); background: none; border: 1px solid var(--line); }
svg.difference { width: 260px; height: 20px; display: block; } svg .whisker { stroke: var(--fg); stroke-width: 1.4px; fill: none; vector-effect: non-scaling-stroke; }
svg .zero { stroke: var(--soft); stroke-width: 1px; vector-effect: non-scaling-stroke; }
footer { margin-top: 50px; color: var(--soft); font-size: 13px; border-top: 1px solid var(--line); padding-top: 10px; overflow-wrap: anywhere; }
@media (max-width: 640px) { body { padding: 14px 12px 40px; } dl.quality { grid-template-columns: 1fr; gap: 0; } dl.quality dd { margin-bottom: 8px; }
  figure { overflow-x: auto; } figure svg { min-width: 560px; } th, td { padding: 5px 7px; } }
@media print { body { max-width: none; padding: 0; font-size: 11px; } figure, tr, .box { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .wide { overflow: visible; } th, td { padding: 3px 5px; } }
)";

}  // namespace

std::string_view page_style() { return kStyle; }

}  // namespace tailcap::render
