#include "analyze/flame/canvas.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "analyze/flame/script.h"
#include "ground/svg.h"

namespace tailcap::flame {

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
  ground::Svg out;
  out.open("g", {{"class", "f"}, {"data-d", depth}})
      .text({}, told, "title")
      .leaf("rect", {{"x", x}, {"y", y}, {"width", width}, {"height", kFrame - 1}, {"rx", 2}, {"fill", fill}})
      .text({{"x", x + 3}, {"y", y + 12}, {"data-n", name}}, "");
  return out.close("g").line().take();
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
  ground::Svg out;
  out.open("g")
      .text({}, told, "title")
      .leaf("rect", {{"x", x},
                     {"y", y - kTop},
                     {"width", width},
                     {"height", kFrame - 1},
                     {"rx", 2},
                     {"style", "fill:" + std::string(fill)}});
  if (!label.empty()) out.text({{"x", x + 3}, {"y", y - kTop + 12}, {"style", "font:11px monospace;fill:#222"}}, label);
  return out.close("g").line().take();
}

std::string still(std::size_t rows, std::string_view frames) {
  ground::Svg out;
  out.open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                   {"viewBox", "0 0 " + ground::coordinate(kStillWidth) + " " +
                                   ground::coordinate(static_cast<double>(rows) * kFrame)},
                   {"role", "img"}})
      .line()
      .add(frames);
  return out.close("svg").line().take();
}

std::string canvas(std::string_view title, std::string_view subtitle, std::size_t rows, std::string_view frames) {
  const double high = kTop + static_cast<double>(rows) * kFrame + kBottom;
  ground::Svg out;
  out.open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                   {"version", "1.1"},
                   {"width", kWidth},
                   {"height", high},
                   {"viewBox", "0 0 " + ground::coordinate(kWidth) + " " + ground::coordinate(high)}})
      .line()
      .text({},
            "text{font:12px sans-serif;fill:#222}.f text{font:11px monospace;pointer-events:none}.f "
            "rect{stroke:#ccc;stroke-width:.5}.f{cursor:pointer}.f:hover "
            "rect{stroke:#000}.b{cursor:pointer;fill:#06c}.p{opacity:.5}.m rect{fill:#e0f}",
            "style")
      .line()
      .leaf("rect", {{"width", "100%"}, {"height", "100%"}, {"fill", "#fdfcf8"}})
      .line();
  const double middle = kWidth / 2, right = kWidth - kMargin;
  out.text({{"x", middle}, {"y", 24}, {"text-anchor", "middle"}, {"style", "font-size:16px"}}, title).line();
  out.text({{"x", middle}, {"y", 43}, {"text-anchor", "middle"}, {"style", "fill:#666"}}, subtitle).line();
  out.text({{"id", "reset"}, {"class", "b"}, {"x", kMargin}, {"y", 24}, {"style", "display:none"}}, "Reset zoom")
      .line();
  out.text({{"id", "search"}, {"class", "b"}, {"x", right}, {"y", 24}, {"text-anchor", "end"}}, "Search").line();
  out.text({{"id", "hint"}, {"x", kMargin}, {"y", high - 10}}, " ").line();
  out.text({{"id", "found"}, {"x", right}, {"y", high - 10}, {"text-anchor", "end"}}, " ").line();
  if (frames.empty()) out.text({{"x", middle}, {"y", 74}, {"text-anchor", "middle"}}, "nothing was seen").line();
  out.add(frames).add("<script><![CDATA[\n").add(kScript).add("]]></script>\n");
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + out.close("svg").line().take();
}

}  // namespace tailcap::flame
