#include "analyze/plot/script.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ranges>
#include <vector>

#include "formats/printable.h"
#include "formats/utf8.h"

namespace tailcap::plot {
namespace {

using model::BarChart;
using model::Chart;
using model::ChartAxis;
using model::ChartSeries;
using model::Tick;

constexpr std::size_t kTitle = 70;
constexpr double kLeastShade = 0.0025;  // of the axis: a microsecond of a minute must be seen, too
constexpr double kLabelled = 0.07;      // a share from which its number fits into the bar

// Bytes of the character at the start of text, 0 if it cannot be shown.
std::size_t character(std::string_view text) {
  const formats::Character c = formats::first_character(text);
  return c.code == formats::kNoCharacter || formats::misleading(c.code) ? 0 : c.length;
}

// A number as gnuplot reads it, the same everywhere.
std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  std::array<char, 40> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 10).ptr;
  return {text.data(), end};
}

// The text of a tick, which gnuplot takes for a format: a percent sign is written twice.
std::string tick_text(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '%' ? "%%" : std::string(1, c);
  return gnuplot_string(out, out.size());
}

std::string ticks(const std::vector<Tick>& all) {
  std::string out;
  for (const Tick& tick : all) out += (out.empty() ? "" : ", ") + tick_text(tick.text) + " " + number(tick.at);
  return "(" + out + ")";
}

// "set xrange …" and what else belongs to the axis x, y or y2.
std::string axis(const std::string& name, const ChartAxis& axis, const std::string& offset) {
  return (axis.logarithmic ? "set logscale " + name + "\n" : std::string()) + "set " + name + "range [" +
         number(axis.low) + ":" + number(axis.high) + "]\nset " + name + "label " + gnuplot_string(axis.title) +
         " offset " + offset + "\nset " + name + "tics " + ticks(axis.ticks) + "\n";
}

// A named block of data: `$name << EOD … EOD`.
std::string data(const std::string& name, const std::vector<std::vector<double>>& rows) {
  std::string out = name + " << EOD\n";
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : " ") + number(row[i]);
    out += "\n";
  }
  return out + "EOD\n";
}

// A row without values is a gap in the curve.
std::vector<std::vector<double>> rows_of(const ChartSeries& series) {
  std::vector<std::vector<double>> out;
  const model::Stroke* before = nullptr;
  for (const model::Stroke& s : series.strokes) {
    if (series.form == ChartSeries::Form::levels) {
      if (before && before->to < s.from) out.emplace_back();
      out.push_back({s.from, s.up});
      out.push_back({s.to, s.up});
    } else {
      out.push_back({s.from, s.up, s.to - s.from, 0});
    }
    before = &s;
  }
  return out;
}

std::string style_of(const ChartSeries& series) {
  const std::string colour = " lc rgb '" + (series.colour.empty() ? std::string("#404040") : series.colour) + "'";
  switch (series.form) {
    case ChartSeries::Form::line:
    case ChartSeries::Form::levels:
      return " using 1:2 with lines lw " + std::string(series.thin ? "1" : "2") + colour;
    case ChartSeries::Form::stretches:
      return " using 1:2:3:4 with vectors nohead lw 4" + colour;
    case ChartSeries::Form::impulses:
      return " using 1:2 with impulses lw 1.5" + colour;
  }
  return {};
}

// The legend below the axes, clear of the axis' title: lines of entries with the terminal's 12 point font.
std::string legend_below(std::size_t rows, std::size_t columns, unsigned height) {
  const double legend = 18.0 * static_cast<double>(rows) + 4, axis = 44;  // pixels
  return "set bmargin at screen " + number((legend + axis) / height) + "\nset key at screen 0.09, screen " +
         number(legend / height) + " top left horizontal Left reverse samplen 2 maxcols " + std::to_string(columns) +
         "\n";
}

// Entries in a line of the legend.
std::size_t columns_of(const std::vector<std::string>& names) {
  std::size_t longest = 1;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  return std::clamp<std::size_t>(100 / (longest + 6), 1, std::max<std::size_t>(1, names.size()));
}

std::string shade_style(model::Shades::Kind kind) {
  return " fillstyle solid " + std::string(kind == model::Shades::Kind::episode ? "0.2" : "0.35") + " noborder";
}

// Dark colours want light numbers on them.
std::string_view ink_on(std::string_view colour) {
  const auto part = [&](std::size_t i) { return std::stoi(std::string(colour.substr(i, 2)), nullptr, 16); };
  return 0.299 * part(1) + 0.587 * part(3) + 0.114 * part(5) > 130 ? "#101010" : "#fefefe";
}

// Top and bottom in shares of the picture's height. scale: its axis is labelled.
std::string panel_script(const BarChart::Panel& panel, const std::string& prefix, double top, double bottom, bool scale,
                         const std::string& heading) {
  std::string blocks, plots, labels;
  std::vector<Tick> names;
  for (std::size_t i = 0; i < panel.bars.size(); ++i) names.push_back({-static_cast<double>(i), panel.bars[i]});
  std::vector<double> done(panel.bars.size(), 0);
  for (std::size_t k = 0; k < panel.parts.size(); ++k) {
    const BarChart::Part& part = panel.parts[k];
    std::vector<std::vector<double>> rows;
    for (std::size_t i = 0; i < panel.bars.size(); ++i) {
      const double share = part.shares[i], y = -static_cast<double>(i);
      if (share <= 0) continue;
      rows.push_back({(done[i] + share / 2) * 100, y, done[i] * 100, (done[i] + share) * 100, y - 0.36, y + 0.36});
      if (share >= kLabelled)
        labels += "set label " + gnuplot_string(std::to_string(std::llround(share * 100)) + " %") + " at " +
                  number((done[i] + share / 2) * 100) + "," + number(y) + " center front textcolor rgb '" +
                  std::string(ink_on(part.colour)) + "'\n";
      done[i] += share;
    }
    const std::string name = prefix + std::to_string(k);
    blocks += data(name, rows);
    plots += (plots.empty() ? "plot " : ", \\\n  ") + name +
             " using 1:2:3:4:5:6 with boxxyerror fillstyle solid 1 noborder lc rgb '" + part.colour + "' title " +
             gnuplot_string(part.name, 44);
  }
  return blocks + "unset label\n" + heading + labels + "set tmargin at screen " + number(top) +
         "\nset bmargin at screen " + number(bottom) +
         "\nset lmargin at screen 0.245\nset rmargin at screen 0.6\nset xrange [0:100]\nset yrange [" +
         number(0.6 - static_cast<double>(panel.bars.size())) + ":0.6]\nset ytics " + ticks(names) + " scale 0\n" +
         (scale ? "set xtics ('0 %%' 0, '25 %%' 25, '50 %%' 50, '75 %%' 75, '100 %%' 100) scale 0 textcolor lt -1\n"
                : "unset xtics\n") +
         "set label " + gnuplot_string(panel.title) +
         " at graph 0, graph 1 offset 0,0.8 left\nset key at screen 0.615, screen " + number(top) +
         " top left Left reverse samplen 1 width 0\n" + plots + "\n";
}

}  // namespace

std::string gnuplot_string(std::string_view text, std::size_t longest) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    const std::size_t n = character(text);
    characters.push_back(n == 0 ? std::string_view("?") : text.substr(0, n));
    text.remove_prefix(formats::first_character(text).length);
  }
  std::string out = "'";
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (characters.size() > longest && i == longest / 2) {
      out += "…";
      i = characters.size() - (longest - longest / 2 - 1);
      if (i >= characters.size()) break;
    }
    // A quote is written twice. A backquote starts a shell command everywhere but in single quotes: not let in at
    // all, so that nothing depends on where this text ends up.
    // gnuplot 5.4 takes the first two of three for an empty string.
    if (characters[i] == "'")
      out += out.size() == 1 ? "’" : "''";
    else if (characters[i] == "`")
      out += "ˋ";
    else
      out += characters[i];
  }
  return out + "'";
}

Script script_of(const Chart& chart, bool titled) {
  Script out;
  std::vector<std::string> names;
  for (const ChartSeries& series : chart.series) names.push_back(series.name);
  for (const model::Shades& shades : chart.shades) names.push_back(shades.name);
  const std::size_t columns = columns_of(names), rows = (names.size() + columns - 1) / columns;
  out.height = 320 + 18 * static_cast<unsigned>(rows);
  std::string blocks, objects, plots;
  std::size_t n = 0;
  for (const model::Shades& shades : chart.shades)
    for (const model::Shade& s : shades.all) {
      const double least = kLeastShade * (chart.across.high - chart.across.low);
      objects += "set object " + std::to_string(++n) + " rect from first " + number(s.from) + ", graph 0 to first " +
                 number(std::max(s.to, s.from + least)) + ", graph 1 behind fillcolor rgb '" +
                 std::string(model::colour_of(shades.kind)) + "'" + shade_style(shades.kind) + "\n";
    }
  const auto next = [&](const std::string& curve) { plots += (plots.empty() ? "plot " : ", \\\n  ") + curve; };
  n = 0;
  for (const ChartSeries& series : chart.series | std::views::reverse) {
    const std::string name = "$series" + std::to_string(n++);
    blocks += data(name, rows_of(series));
    next(name + style_of(series) + " notitle");
  }
  for (const ChartSeries& series : chart.series)  // the legend, in order
    next("keyentry with lines lw " + std::string(series.thin ? "1" : "2") + " lc rgb '" +
         (series.colour.empty() ? std::string("#404040") : series.colour) + "' title " +
         gnuplot_string(series.name, 80));
  for (const model::Shades& shades : chart.shades)
    next("keyentry with boxes" + shade_style(shades.kind) + " lc rgb '" + std::string(model::colour_of(shades.kind)) +
         "' title " + gnuplot_string(shades.name));
  out.text = blocks + objects + axis("x", chart.across, "0,0.3") + axis("y", chart.up, "1");
  if (!chart.right.empty())
    out.text += std::string(chart.up.logarithmic ? "set logscale y2\n" : "") + "set y2range [" + number(chart.up.low) +
                ":" + number(chart.up.high) + "]\nset ytics nomirror\nset y2tics " + ticks(chart.right) + "\n";
  out.text += legend_below(rows, columns, out.height) +
              (titled ? "set title " + gnuplot_string(chart.title, kTitle) + "\n" : "") + plots + "\n";
  return out;
}

Script script_of(const BarChart& chart, bool titled) {
  const double head = titled ? 0.06 : 0;
  const std::string heading =
      titled ? "set label " + gnuplot_string(chart.title, kTitle) + " at screen 0.5, screen 0.975 center\n" : "";
  const std::size_t n = chart.panels.size();
  Script out;
  out.height = static_cast<unsigned>(60 + 160 * n);
  out.text = "set multiplot\nunset border\nset grid noxtics noytics\n";
  const double each = (0.94 - head - 0.09) / static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double top = 0.94 - head - each * static_cast<double>(i);
    const bool last = i + 1 == n;
    out.text += panel_script(chart.panels[i], "$panel" + std::to_string(i) + "_", top,
                             last ? (n == 1 ? 0.18 : 0.09) : top - each + 0.11, last, i == 0 ? heading : "");
  }
  out.text += "unset multiplot\n";
  return out;
}

}  // namespace tailcap::plot
