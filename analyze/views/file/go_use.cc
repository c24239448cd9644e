#include "analyze/views/file/go_use.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "analyze/model/request.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/machine.h"

namespace tailcap::views {

using model::GoStudy;
using model::GoUse;
using report::count_text;

namespace {

constexpr std::array<const char*, GoUse::kBuckets> kBuckets = {"1",          "2 to 9",         "10 to 99",
                                                               "100 to 999", "1,000 to 9,999", "10,000 or more"};
constexpr std::array<std::uint64_t, GoUse::kBuckets> kFrom = {1, 2, 10, 100, 1000, 10'000};
constexpr std::size_t kBar = 40;

std::string go_name(const GoStudy& g) {
  return (g.comm.empty() ? "process" : report::printable(g.comm)) + " " + report::pid_text(g.pid) +
         (g.version.empty() ? "" : ", " + report::printable(g.version));
}

std::string use_text(const GoUse& u) {
  std::string out =
      "  " + std::string(model::name_of(u.protocol)) + ": " + count_text(u.requests, "request", "requests") + " served";
  if (u.goroutines > 0) out += " by " + count_text(u.goroutines, "goroutine", "goroutines");
  if (u.connections > 0) out += " on " + count_text(u.connections, "connection", "connections");
  out += "\n";
  if (u.unknown > 0) out += "    by which goroutine is not known of " + count_text(u.unknown) + " of them\n";
  if (u.goroutines > 0) {
    out += "    requests of a goroutine: median " + count_text(u.median) + ", most " + count_text(u.most) + "\n";
    const std::uint64_t highest = *std::max_element(u.histogram.begin(), u.histogram.end());
    for (std::size_t i = 0; i < u.histogram.size(); ++i) {
      const std::uint64_t n = u.histogram[i];
      if (n == 0) continue;
      std::string label = kBuckets[i], goroutines = count_text(n, "goroutine", "goroutines");
      label.resize(16, ' ');
      goroutines.insert(0, std::max<std::size_t>(goroutines.size(), 18) - goroutines.size(), ' ');
      out +=
          "      " + label + goroutines + "  " + std::string(std::max<std::size_t>(1, n * kBar / highest), '#') + "\n";
    }
  }
  return out + "    so: " + std::string(model::text_of(u.model, u.protocol)) + "\n";
}

}  // namespace

std::string go_use_text(const model::Study& study) {
  std::string out;
  for (const GoStudy& g : study.go) {
    if (g.use.empty()) continue;
    out += (out.empty() ? "" : "\n") + go_name(g) + "\n";
    for (const GoUse& u : g.use) out += use_text(u);
  }
  if (!out.empty()) return out;
  return study.go.empty() ? "No Go program is known in this capture.\n"
                          : "No request that a Go program served on a known goroutine is in this capture.\n";
}

std::string go_use_json(const model::Study& study) {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const GoStudy& g : study.go) {
    for (const GoUse& u : g.use) {
      Json histogram = Json::array();
      for (std::size_t i = 0; i < u.histogram.size(); ++i) {
        const Json to = i + 1 < kFrom.size() ? Json(kFrom[i + 1] - 1) : Json();
        histogram.push_back({{"from", kFrom[i]}, {"to", to}, {"goroutines", u.histogram[i]}});
      }
      const bool known = u.goroutines > 0;
      all.push_back({{"pid", formats::number_of(g.pid)},
                     {"machine", formats::machine_of(g.pid) + 1},
                     {"comm", g.comm.empty() ? Json() : Json(report::printable(g.comm))},
                     {"version", g.version.empty() ? Json() : Json(report::printable(g.version))},
                     {"protocol", std::string(model::name_of(u.protocol))},
                     {"requests", u.requests},
                     {"unknown", u.unknown},
                     {"goroutines", u.goroutines},
                     {"connections", u.connections > 0 ? Json(u.connections) : Json()},
                     {"median", known ? Json(u.median) : Json()},
                     {"most", known ? Json(u.most) : Json()},
                     {"histogram", histogram},
                     {"model", std::string(model::name_of(u.model))}});
    }
  }
  return Json({{"schema", report::kJsonSchema}, {"goroutines", all}}).dump();
}

}  // namespace tailcap::views
