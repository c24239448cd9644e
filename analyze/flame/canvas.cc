#include "analyze/flame/canvas.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "analyze/flame/script.h"

namespace tailcap::flame {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string colour(int red, int green, int blue) {
  char text[32];
  std::snprintf(text, sizeof text, "rgb(%d,%d,%d)", red, green, blue);
  return text;
}

int shade_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return static_cast<int>(hash % 56);
}

std::string frame_svg(std::string_view name, std::string_view told, double x, double y, double width, std::size_t depth,
                      std::string_view fill) {
  return "<g class=\"f\" data-d=\"" + std::to_string(depth) + "\"><title>" + escaped(told) + "</title><rect x=\"" +
         number(x, 3) + "\" y=\"" + number(y, 0) + "\" width=\"" + number(width, 3) +
         "\" height=\"16\" rx=\"2\" fill=\"" + std::string(fill) + "\"/><text x=\"" + number(x + 3, 3) + "\" y=\"" +
         number(y + 12, 0) + "\" data-n=\"" + escaped(name) + "\"></text></g>\n";
}

std::string still_frame_svg(std::string_view name, std::string_view told, double x, double y, double width,
                            std::string_view fill) {
  constexpr double kLetter = 6.7;
  const auto fits = static_cast<std::size_t>(std::max(0.0, (width - 6) / kLetter));
  std::string label;
  std::size_t letters = 0;
  for (std::size_t i = 0; i < name.size() && fits >= 3; ++i) {
    const bool begins = (static_cast<unsigned char>(name[i]) & 0xC0) != 0x80;
    if (begins && ++letters > fits) {
      label.replace(label.size() - std::min<std::size_t>(label.size(), 1), 1, "…");
      break;
    }
    label += name[i];
  }
  std::string out = "<g><title>" + escaped(told) + "</title><rect x=\"" + number(x, 1) + "\" y=\"" +
                    number(y - kTop, 0) + "\" width=\"" + number(width, 1) +
                    "\" height=\"16\" rx=\"2\" style=\"fill:" + std::string(fill) + "\"/>";
  if (!label.empty())
    out += "<text x=\"" + number(x + 3, 1) + "\" y=\"" + number(y - kTop + 12, 0) +
           "\" style=\"font:11px monospace;fill:#222\">" + escaped(label) + "</text>";
  return out + "</g>\n";
}

std::string still(std::size_t rows, std::string_view frames) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kStillWidth, 0) + " " +
         number(static_cast<double>(rows) * kFrame, 0) + "\" role=\"img\">\n" + std::string(frames) + "</svg>\n";
}

std::string canvas(std::string_view title, std::string_view subtitle, std::size_t rows, std::string_view frames) {
  const double high = kTop + static_cast<double>(rows) * kFrame + kBottom;
  const std::string size = number(kWidth, 0) + "\" height=\"" + number(high, 0);
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"" + size + "\" viewBox=\"0 0 " +
      number(kWidth, 0) + " " + number(high, 0) +
      "\">\n<style>text{font:12px sans-serif;fill:#222}.f text{font:11px monospace;pointer-events:none}.f "
      "rect{stroke:#ccc;stroke-width:.5}"
      ".f{cursor:pointer}.f:hover rect{stroke:#000}.b{cursor:pointer;fill:#06c}.p{opacity:.5}.m "
      "rect{fill:#e0f}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fdfcf8\"/>\n<text x=\"600\" y=\"24\" text-anchor=\"middle\" "
      "style=\"font-size:16px\">" +
      escaped(title) + "</text>\n<text x=\"600\" y=\"43\" text-anchor=\"middle\" style=\"fill:#666\">" +
      escaped(subtitle) +
      "</text>\n<text id=\"reset\" class=\"b\" x=\"10\" y=\"24\" style=\"display:none\">Reset zoom</text>\n"
      "<text id=\"search\" class=\"b\" x=\"1190\" y=\"24\" text-anchor=\"end\">Search</text>\n"
      "<text id=\"hint\" x=\"10\" y=\"" +
      number(high - 10, 0) + "\"> </text>\n<text id=\"found\" x=\"1190\" y=\"" + number(high - 10, 0) +
      "\" text-anchor=\"end\"> </text>\n";
  if (frames.empty()) out += "<text x=\"600\" y=\"74\" text-anchor=\"middle\">nothing was seen</text>\n";
  out += frames;
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + out + "<script><![CDATA[\n" + std::string(kScript) +
         "]]></script>\n</svg>\n";
}

}  // namespace tailcap::flame
