#include "analyze/views/file/go_use.h"

#include <algorithm>
#include <array>

#include "analyze/model/request.h"
#include "analyze/report/json/shape.h"
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

namespace {

struct UsedBy {
  const GoStudy& process;
  const GoUse& use;
};
std::vector<UsedBy> all_uses(const model::Study& study) {
  std::vector<UsedBy> out;
  for (const GoStudy& g : study.go)
    for (const GoUse& u : g.use) out.push_back({g, u});
  return out;
}

struct Band {
  std::uint64_t from;
  std::optional<std::uint64_t> to;
  std::uint64_t goroutines;
};
std::vector<Band> bands(const UsedBy& u) {
  std::vector<Band> out;
  for (std::size_t i = 0; i < u.use.histogram.size(); ++i)
    out.push_back({kFrom[i], i + 1 < kFrom.size() ? std::optional<std::uint64_t>(kFrom[i + 1] - 1) : std::nullopt,
                   u.use.histogram[i]});
  return out;
}

const report::Shape<Band, report::Anywhere> kBand{
    "band",
    {{"from", &Band::from, "requests"}, {"to", &Band::to, "null: no limit"}, {"goroutines", &Band::goroutines}}};

const report::Shape<UsedBy, report::Anywhere> kUse{
    "use",
    {
        {"pid", [](auto& u) { return formats::number_of(u.process.pid); }},
        {"machine", [](auto& u) { return formats::machine_of(u.process.pid) + 1; }},
        {"comm", [](auto& u) { return report::OrNull{report::printable(u.process.comm)}; }},
        {"version", [](auto& u) { return report::OrNull{report::printable(u.process.version)}; }},
        {"protocol", [](auto& u) { return model::name_of(u.use.protocol); }},
        {"requests", [](auto& u) { return u.use.requests; }, "served"},
        {"unknown", [](auto& u) { return u.use.unknown; }, "of these: by which goroutine is not known"},
        {"goroutines", [](auto& u) { return u.use.goroutines; }},
        {"connections", [](auto& u) { return report::OrNull{u.use.connections}; }, "of the others"},
        {"median", [](auto& u) { return report::when(u.use.goroutines > 0, u.use.median); }, "requests of a goroutine"},
        {"most", [](auto& u) { return report::when(u.use.goroutines > 0, u.use.most); }},
        {"histogram", kBand, bands},
        {"model", [](auto& u) { return model::name_of(u.use.model); },
         "per_request: one goroutine for each stream or request"},
    }};

const report::Shape<model::Study, report::Anywhere>& use_shape() {
  static const report::Shape<model::Study, report::Anywhere> shape{
      "goroutines",
      {
          {"schema", [](auto&) { return report::kJsonSchema; }, "", {.is = report::kJsonSchema}},
          {"goroutines", kUse, all_uses, "by Go process and protocol"},
      }};
  return shape;
}

}  // namespace

std::string go_use_json(const model::Study& study) { return report::json_of(use_shape(), study, report::Anywhere{}); }
const report::Description& go_use_description() { return use_shape(); }

}  // namespace tailcap::views
