#include "analyze/plot/plot.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

#include "analyze/plot/chart.h"
#include "analyze/plot/gnuplot.h"
#include "analyze/plot/script.h"

namespace tailcap::plot {
namespace {

constexpr std::size_t kCollectors = 4;           // Go processes whose collector is drawn
constexpr std::size_t kLargestImage = 8u << 20;  // what gnuplot may hand back for one chart

std::string two_digits(std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

std::string terminal(const PlotOptions& options, unsigned height, const std::string& file) {
  const std::string background = options.background || options.format == Format::png ? " background '#ffffff'" : "";
  const std::string kind = options.format == Format::svg
                               ? "svg size 760," + std::to_string(height) + " dynamic noenhanced font 'sans-serif,12'"
                               : "pngcairo size 1520," + std::to_string(2 * height) +
                                     " noenhanced font 'sans-serif,9' fontscale 2 linewidth 2";
  return "reset\nset encoding utf8\nset decimalsign '.'\nset terminal " + kind + background + "\nset output " +
         quoted(file, file.size()) +
         "\nset border 3 lc rgb '#808080'\nset tics nomirror textcolor lt -1\nset grid lc rgb '#808080' lw 0.5 dt 3\n";
}

std::string image(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

model::Figures draw(const model::Study& study, const PlotOptions& options) {
  model::Figures figures;
  std::vector<Chart> charts;
  const auto add = [&](const std::string& name, std::optional<std::size_t> route, Chart chart) {
    if (chart.script.empty()) return;
    figures.drawn.push_back({name, chart.caption, route, {}});
    charts.push_back(std::move(chart));
  };
  const bool titled = options.background || options.format == Format::png;
  if (options.requests) add("latency", std::nullopt, latency_chart(study, std::nullopt, titled));
  for (std::size_t i = 0; options.requests && i < std::min(options.routes, study.routes.size()); ++i) {
    const std::string name = "route-" + two_digits(i + 1);
    add(name + "-latency", i, latency_chart(study, i, titled));
    add(name + "-time", i, time_chart(study, i, titled));
    add(name + "-phases", i, phases_chart(study, i, titled));
  }
  std::size_t collectors = 0;
  for (std::size_t i = 0; i < study.go.size() && collectors < kCollectors; ++i) {
    Chart chart = collector_chart(study, i, titled);
    if (chart.script.empty()) continue;
    ++collectors;
    add(collectors == 1 ? "gc" : "gc-" + two_digits(collectors), std::nullopt, std::move(chart));
  }
  if (charts.empty() && !options.requests) return figures;
  if (charts.empty()) {
    figures.trouble = "nothing to draw: no request has a known duration";
    return figures;
  }
  const std::string extension = options.format == Format::svg ? ".svg" : ".png";
  try {
    const Workplace place;
    std::string script;
    for (std::size_t i = 0; i < charts.size(); ++i)
      script += terminal(options, charts[i].height, place.path() + "/" + figures.drawn[i].name + extension) +
                charts[i].script + "unset output\n";
    figures.trouble = run_gnuplot(script, place);
    for (std::size_t i = 0; i < charts.size() && figures.trouble.empty(); ++i) {
      auto& figure = figures.drawn[i];
      figure.image = image(place.path() + "/" + figure.name + extension);
      if (figure.image.empty() || figure.image.size() > kLargestImage)
        figures.trouble = "gnuplot made no usable " + figure.name;
      if (options.format == Format::svg && !options.background) figure.image = embeddable(figure.image);
    }
  } catch (const std::system_error& e) {
    figures.trouble = e.what();
  }
  if (!figures.trouble.empty()) figures.drawn.clear();
  return figures;
}

}  // namespace tailcap::plot
