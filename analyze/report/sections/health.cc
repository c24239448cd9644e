#include "analyze/report/sections/health.h"

#include <algorithm>
#include <limits>

#include "analyze/render/lines.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/svg.h"

namespace tailcap::report {
namespace {

using model::Health;
using model::HealthCell;
using model::HealthRow;

constexpr std::size_t kRowName = 40;

struct Look {
  char letter;
  const char *name, *colour, *meaning;
};

// By HealthState. Distinct for people who see colours differently.
constexpr Look kLooks[] = {{' ', "nothing", "none", "no request"},
                           {',', "few", "#c9d6de", "under 20 requests, no errors"},
                           {'!', "few_slow", "#e3c98f", "under 20, slowest ≥ 3× the median p99"},
                           {'.', "good", "#8fc7a5", "normal"},
                           {'s', "slow", "#f2c14e", "p99 ≥ 1.5× its median"},
                           {'S', "very_slow", "#e08a1e", "p99 ≥ 3× its median"},
                           {'e', "failing", "#d9534f", "≥ 1 % errors"},
                           {'E', "down", "#8e1b2c", "≥ 20 % errors"}};

const Look& look_of(const HealthRow& row, const HealthCell& cell) {
  return kLooks[static_cast<std::size_t>(model::state_of(row, cell))];
}

// Latency and errors have a row each: errors do not hide that the same window was slow.
const Look& latency_of(const HealthRow& row, HealthCell cell) {
  cell.errors = 0;
  return look_of(row, cell);
}
// Null: less than 1 %.
const Look* errors_of(const HealthRow& row, const HealthCell& cell) {
  const model::HealthState state = model::state_of(row, cell);
  const bool failing = state == model::HealthState::failing || state == model::HealthState::down;
  return failing ? &look_of(row, cell) : nullptr;
}

// A map says nothing about a few requests.
bool worth_a_map(const Health& health) {
  return std::any_of(health.rows.begin(), health.rows.end(), [](const HealthRow& row) { return row.p99.count() > 0; });
}

std::string row_name(const HealthRow& row) {
  const std::string name =
      row.name.empty() ? std::string("(unknown process)") : shortened(printable(row.name), kRowName);
  return row.role == model::Role::server ? name : "→ " + name;
}

std::string hint_of(const Health& health, const HealthRow& row, std::size_t window) {
  const HealthCell& cell = row.cells[window];
  const formats::Time from = health.begin + health.window * static_cast<std::int64_t>(window);
  std::string out = row_name(row) + ", from " + offset_text(from, health.begin) + ": " +
                    count_text(cell.requests, "request", "requests");
  if (cell.errors > 0) out += ", " + count_text(cell.errors, "error", "errors");
  if (cell.timed > 0 && cell.timed < Health::kFewest) out += ", the slowest " + duration_text(cell.p99);
  if (cell.timed >= Health::kFewest)
    out += ", p99 " + duration_text(cell.p99) + " (median " + duration_text(row.p99) + ")";
  return out;
}

// "+0.000 s             +1.925 s" below a row of letters.
std::string axis_text(const Health& health) {
  const std::string from = offset_text(health.begin, health.begin),
                    to = offset_text(health.begin + health.window * std::int64_t{Health::kWindows}, health.begin);
  return from + std::string(Health::kWindows - std::min(Health::kWindows - 1, from.size() + to.size()), ' ') + to;
}

// A letter for each window; what the letters mean is the caption.
void add_lines(const Health& health, render::Figure& out) {
  std::size_t width = 0;
  for (const HealthRow& row : health.rows) width = std::max(width, columns(row_name(row)));
  std::string met;
  for (const HealthRow& row : health.rows) {
    std::string latency, errors;
    for (const HealthCell& cell : row.cells) {
      const Look* const failing = errors_of(row, cell);
      latency += latency_of(row, cell).letter;
      errors += failing ? failing->letter : cell.errors > 0 ? '-' : ' ';
      met += latency.back();
      met += errors.back();
    }
    out.lines.push_back(render::padded(row_name(row), width) + "  latency [" + latency + "] " +
                        count_text(row.requests, "request", "requests") +
                        (row.p99.count() > 0 ? ", median p99 " + duration_text(row.p99) : ""));
    if (row.errors > 0)
      out.lines.push_back(std::string(width, ' ') + "  errors  [" + errors + "] " +
                          errors_text(row.kinds, row.requests));
  }
  out.lines.push_back(std::string(width + sizeof "  latency [" - 1, ' ') + axis_text(health));
  std::string legend = "Each character is " + duration_text(health.window) + ":";
  const auto add = [&](const std::string& text) { legend += (legend.back() == ':' ? " " : "; ") + text; };
  if (met.find('-') != met.npos) add("- under 1 % errors");
  for (const Look& look : kLooks)
    if (look.letter != ' ' && met.find(look.letter) != met.npos) add(std::string(1, look.letter) + " " + look.meaning);
  out.lines_caption =
      legend + "." + (health.left_out > 0 ? " " + count_text(health.left_out) + " more not shown." : "");
}

// Outlines over all rows, so that the colours under them stay what they mean.
void add_outlines(const Health& health, const std::vector<model::Burst>& episodes, std::size_t left, std::size_t width,
                  std::size_t high, ground::Svg& out) {
  const formats::Time end = health.begin + health.window * std::int64_t{Health::kWindows};
  const double all = static_cast<double>(std::max<std::int64_t>(1, (end - health.begin).count()));
  for (const model::Shade& s :
       charts::shades_of(charts::joined(episodes, health.begin, end, 40), health.begin, "burst")) {
    const double scale = static_cast<double>(width) / all;
    charts::add_hinted_rectangle("episode outline", static_cast<double>(left) + s.from * scale - 1,
                                 std::max(3.0, (s.to - s.from) * scale), std::numeric_limits<double>::infinity(), 0,
                                 static_cast<double>(high), s.hint, out);
    out.line();
  }
}

std::string svg_of(const Health& health, const std::vector<model::Burst>& episodes) {
  constexpr std::size_t kLeft = 230, kCell = 26, kHigh = 20, kErrors = 6, kTick = 6;  // kTick: a tick every 6 windows
  const std::size_t wide = kLeft + kCell * Health::kWindows, high = kHigh * health.rows.size();
  ground::Svg out;
  out.open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                   {"viewBox", "0 0 " + std::to_string(wide + kCell) + " " + std::to_string(high + kHigh)},
                   {"role", "img"}})
      .line();
  for (std::size_t r = 0; r < health.rows.size(); ++r) {
    const HealthRow& row = health.rows[r];
    out.text({{"x", kLeft - 8},
              {"y", r * kHigh + 14},
              {"text-anchor", "end"},
              {"style", "font-size:13px;fill:var(--fg)"}},
             shortened(row_name(row), 30))
        .line();
    for (std::size_t w = 0; w < row.cells.size(); ++w) {
      out.hinted("rect",
                 {{"x", kLeft + w * kCell},
                  {"y", r * kHigh},
                  {"width", kCell - 2},
                  {"height", kHigh - 2},
                  {"style", std::string("fill:") + latency_of(row, row.cells[w]).colour + ";stroke:var(--line)"}},
                 hint_of(health, row, w))
          .line();
      if (const Look* failing = errors_of(row, row.cells[w]))
        out.leaf("rect", {{"x", kLeft + w * kCell},
                          {"y", (r + 1) * kHigh - 2 - kErrors},
                          {"width", kCell - 2},
                          {"height", kErrors},
                          {"style", std::string("fill:") + failing->colour + ";pointer-events:none"}})
            .line();
    }
  }
  add_outlines(health, episodes, kLeft, kCell * Health::kWindows, high, out);
  for (std::size_t w = 0; w <= Health::kWindows; w += kTick)
    out.text({{"x", kLeft + w * kCell},
              {"y", high + 14},
              {"text-anchor", "middle"},
              {"style", "font-size:11px;fill:var(--soft)"}},
             offset_text(health.begin + health.window * static_cast<std::int64_t>(w), health.begin))
        .line();
  return out.close("svg").line().take();
}

}  // namespace

std::optional<render::Figure> health_figure(const Health& health, const std::vector<model::Burst>& episodes) {
  if (!worth_a_map(health)) return std::nullopt;
  render::Figure out;
  out.svg = svg_of(health, episodes);
  add_lines(health, out);
  for (const Look& look : kLooks)
    if (look.letter != ' ') out.legend.push_back({look.meaning, look.colour});
  out.caption = "Latency of services, and of → the services they call, in windows of " + duration_text(health.window) +
                "; errors are the strip at the bottom" +
                (episodes.empty() ? "" : "; outlined: the bursts of the answers above") +
                (health.left_out > 0 ? "; " + count_text(health.left_out) + " more not shown." : ".");
  return out;
}

std::string_view health_name(model::HealthState state) { return kLooks[static_cast<std::size_t>(state)].name; }

std::vector<std::string_view> health_names() {
  std::vector<std::string_view> out;
  for (const Look& look : kLooks) out.emplace_back(look.name);
  return out;
}

}  // namespace tailcap::report
