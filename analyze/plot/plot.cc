#include "analyze/plot/plot.h"

#include <fstream>
#include <sstream>
#include <system_error>

#include "analyze/plot/gnuplot.h"
#include "analyze/plot/script.h"

namespace tailcap::plot {
namespace {

constexpr std::size_t kLargestImage = 8u << 20;  // what gnuplot may hand back for one chart

std::string terminal(Format format, unsigned height, const std::string& file) {
  const std::string kind = format == Format::svg
                               ? "svg size 760," + std::to_string(height) + " dynamic noenhanced font 'sans-serif,12'"
                               : "pngcairo size 1520," + std::to_string(2 * height) +
                                     " noenhanced font 'sans-serif,9' fontscale 2 linewidth 2";
  return "reset\nset encoding utf8\nset decimalsign '.'\nset terminal " + kind + " background '#ffffff'\nset output " +
         gnuplot_string(file, file.size()) +
         "\nset border 3 lc rgb '#808080'\nset tics nomirror textcolor lt -1\nset grid lc rgb '#808080' lw 0.5 dt 3\n";
}

std::string image(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

model::PlotSet draw(const model::Charts& charts, Format format) {
  model::PlotSet figures;
  std::vector<Script> scripts;
  const auto add = [&](const auto& chart) {
    figures.drawn.push_back({chart.name, chart.caption, chart.route, {}});
    scripts.push_back(script_of(chart, true));
  };
  for (const model::Chart& chart : charts.charts) add(chart);
  for (const model::BarChart& chart : charts.bars) add(chart);
  if (scripts.empty()) {
    figures.trouble = "nothing to draw: no request has a known duration";
    return figures;
  }
  const std::string extension = format == Format::svg ? ".svg" : ".png";
  try {
    const Workplace place;
    std::string script;
    for (std::size_t i = 0; i < scripts.size(); ++i)
      script += terminal(format, scripts[i].height, place.path() + "/" + figures.drawn[i].name + extension) +
                scripts[i].text + "unset output\n";
    figures.trouble = run_gnuplot(script, place);
    for (std::size_t i = 0; i < scripts.size() && figures.trouble.empty(); ++i) {
      auto& figure = figures.drawn[i];
      figure.image = image(place.path() + "/" + figure.name + extension);
      if (figure.image.empty() || figure.image.size() > kLargestImage)
        figures.trouble = "gnuplot made no usable " + figure.name;
    }
  } catch (const std::system_error& e) {
    figures.trouble = e.what();
  }
  if (!figures.trouble.empty()) figures.drawn.clear();
  return figures;
}

}  // namespace tailcap::plot
