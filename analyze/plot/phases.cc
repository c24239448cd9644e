#include <cmath>

#include "analyze/model/label_group.h"
#include "analyze/model/study/figure.h"
#include "analyze/plot/chart.h"
#include "analyze/plot/script.h"

namespace tailcap::plot {
namespace {

constexpr double kLabelled = 0.07;  // a share from which its number fits into the bar

struct Part {
  std::string_view name, colour;
  std::vector<double> values;  // one per band, ns
};

std::string three_digits(double ns) {
  const TimeUnit unit = unit_for(ns * 1e-9 * 1.0005);
  const double v = ns * 1e-9 * unit.per_second;
  const int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
  const auto scaled = std::llround(v * std::pow(10, decimals));
  std::string digits = std::to_string(scaled);
  if (decimals > 0) {
    while (digits.size() <= static_cast<std::size_t>(decimals)) digits.insert(0, "0");
    digits.insert(digits.size() - static_cast<std::size_t>(decimals), ".");
  }
  return digits + " " + std::string(unit.name);
}

std::string percent(double share) {
  const auto tenths = std::llround(share * 1000);
  return std::to_string(tenths / 10) + (tenths % 10 != 0 ? "." + std::to_string(tenths % 10) : "");
}

// The name of a tick, which gnuplot takes for a format: a percent sign is written twice.
std::string band_label(const model::Band& band, double mean) {
  const std::string name = band.from <= 0 ? "fastest " + percent(band.to) + " %%"
                           : band.to >= 1 ? "slowest " + percent(1 - band.from) + " %%"
                                          : percent(band.from) + "–" + percent(band.to) + " %%";
  return mean > 0 ? name + ": " + three_digits(mean) : name + ": none known";
}

// Dark colours want light numbers on them.
std::string_view ink_on(std::string_view colour) {
  const auto part = [&](std::size_t i) { return std::stoi(std::string(colour.substr(i, 2)), nullptr, 16); };
  return 0.299 * part(1) + 0.587 * part(3) + 0.114 * part(5) > 130 ? "#101010" : "#fefefe";
}

// One panel: a bar per band, cut into parts; top and bottom in shares of the page's height.
std::string panel(const std::string& prefix, std::string_view title, const std::vector<model::Band>& bands,
                  const std::vector<Part>& parts, double top, double bottom, bool scale, const std::string& heading) {
  std::vector<double> totals(bands.size(), 0);
  for (const auto& part : parts)
    for (std::size_t i = 0; i < bands.size(); ++i) totals[i] += part.values[i];
  std::string data, plots, labels, tics;
  for (std::size_t i = 0; i < bands.size(); ++i)
    tics += (i == 0 ? "" : ", ") + quoted(band_label(bands[i], totals[i])) + " " + number(-static_cast<double>(i));
  std::vector<double> done(bands.size(), 0);
  for (std::size_t k = 0; k < parts.size(); ++k) {
    Data block(prefix + std::to_string(k));
    for (std::size_t i = 0; i < bands.size(); ++i) {
      if (totals[i] <= 0 || parts[k].values[i] <= 0) continue;
      const double share = parts[k].values[i] / totals[i], y = -static_cast<double>(i);
      block.row({(done[i] + share / 2) * 100, y, done[i] * 100, (done[i] + share) * 100, y - 0.36, y + 0.36});
      if (share >= kLabelled)
        labels += "set label " + quoted(std::to_string(std::llround(share * 100)) + " %") + " at " +
                  number((done[i] + share / 2) * 100) + "," + number(y) + " center front textcolor rgb '" +
                  std::string(ink_on(parts[k].colour)) + "'\n";
      done[i] += share;
    }
    if (block.empty()) continue;
    data += block.text();
    plots += (plots.empty() ? "plot " : ", \\\n  ") + block.name() +
             " using 1:2:3:4:5:6 with boxxyerror fillstyle solid 1 noborder lc rgb '" + std::string(parts[k].colour) +
             "' title " + quoted(parts[k].name);
  }
  if (plots.empty()) return {};
  return data + "unset label\n" + heading + labels + "set tmargin at screen " + number(top) +
         "\nset bmargin at screen " + number(bottom) +
         "\nset lmargin at screen 0.245\nset rmargin at screen 0.72\nset xrange [0:100]\nset yrange [" +
         number(0.6 - static_cast<double>(bands.size())) + ":0.6]\nset ytics (" + tics + ") scale 0\n" +
         (scale ? "set xtics ('0 %%' 0, '25 %%' 25, '50 %%' 50, '75 %%' 75, '100 %%' 100) scale 0 textcolor lt -1\n"
                : "unset xtics\n") +
         "set label " + quoted(title) + " at graph 0, graph 1 offset 0,0.8 left\nset key at screen 0.735, screen " +
         number(top) + " top left Left reverse samplen 1 width 0\n" + plots + "\n";
}

// The mean time under the group's labels, ns; 0 where the requests of the band have no account.
double time_of(model::LabelGroup group, const model::Band& band, const model::TailStudy& tail) {
  std::int64_t sum = 0;
  for (const auto& labelled : tail.bands) {
    if (labelled.from != band.from) continue;
    for (const auto& [label, time] : labelled.labels)
      if (model::group_of(label) == group) sum += time;
  }
  return static_cast<double>(sum);
}

}  // namespace

Chart phases_chart(const model::Study& study, std::size_t index, bool titled) {
  Chart chart;
  const auto& route = study.routes[index];
  if (route.bands.empty()) return chart;
  const std::string id = std::to_string(index) + "_";
  std::vector<Part> phases, labels;
  const auto order = model::phases_of(route.role);
  for (std::size_t i = 0; i < order.size(); ++i) {
    phases.push_back({model::text_of(order[i]), model::colour_of(order[i]), {}});
    for (const auto& band : route.bands) phases.back().values.push_back(band.phases[i]);
  }
  for (std::size_t i = 0; route.tail && i < model::kLabelGroups; ++i) {
    const auto group = static_cast<model::LabelGroup>(i);
    labels.push_back({model::text_of(group), model::colour_of(group), {}});
    for (const auto& band : route.bands) labels.back().values.push_back(time_of(group, band, *route.tail));
  }
  const double head = titled ? 0.06 : 0;
  const std::string heading =
      titled ? "set label " + quoted(route_name(study, index), 70) + " at screen 0.5, screen 0.975 center\n" : "";
  // With labels two panels, one above the other; without, the first has the page.
  const std::string label_panel = panel("$label" + id, "what it waited for", route.bands, labels, 0.46, 0.09, true, "");
  const bool both = !label_panel.empty();
  const std::string phase_panel =
      panel("$phase" + id, "request", route.bands, phases, 0.94 - head, both ? 0.57 - head / 2 : 0.18, !both, heading);
  if (phase_panel.empty()) return chart;
  chart.height = both ? 380 : 220;
  chart.caption =
      "Where requests spend their time, by how fast they are: shares of the mean duration given on the left.";
  if (route.latency_tainted != 0) chart.caption += " Requests whose duration is in doubt are left out.";
  if (!both) chart.caption += " What they waited for is not known.";
  chart.script = "set multiplot\nunset border\nset grid noxtics noytics\n" + phase_panel + (both ? label_panel : "") +
                 "unset multiplot\n";
  return chart;
}

}  // namespace tailcap::plot
