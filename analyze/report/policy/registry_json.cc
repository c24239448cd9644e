#include "analyze/report/policy/registry_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::policy::PolicySampling;

// What the language of policies reads as the same number: its digits, with the point two places further to the right.
std::string percentage_text(double rate) {
  std::array<char, 400> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), rate, std::chars_format::fixed);
  std::string text(digits.data(), end);
  const std::size_t point = std::min(text.find('.'), text.size());
  if (point < text.size()) text.erase(point, 1);
  if (text.size() < point + 2) text.resize(point + 2, '0');
  if (text.size() > point + 2) text.insert(point + 2, ".");
  text.erase(0, std::min(text.find_first_not_of('0'), point + 1));
  if (text.starts_with('.')) text.insert(0, "0");
  return text + "%";
}

// "2026-03-01T12:34:56.789012345Z".
std::string utc_of(std::int64_t realtime) {
  std::string text = utc_text(realtime, 9);
  text.replace(text.find(' '), 1, "T");
  return text.substr(0, text.find(' ')) + "Z";
}

std::string entry_json(const model::policy::RegistryRate& rate, const model::WallClock& clock) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("route", std::string_view(rate.route));
  json.field("rate", std::string_view(percentage_text(rate.rate)));
  if (clock.known()) json.field("decided", std::string_view(utc_of(clock.realtime(rate.decided))));
  json.end_object();
  return out;
}

std::string json_text(std::string_view text) {
  std::string out;
  JsonWriter(out).text(text);
  return out;
}

}  // namespace

RegistryText registry_json(const model::policy::PolicyOutcome& outcome, const model::WallClock& clock,
                           std::size_t most_bytes) {
  const PolicySampling& sampling = *outcome.policy.sampling;
  const model::policy::RateRegistry& registry = outcome.sampling->registry;
  RegistryText out;
  out.json = "{\"sampling\": {\n  \"rate\": " + json_text(percentage_text(registry.rate));
  if (sampling.key == PolicySampling::Key::request_id) out.json += ",\n  \"key\": \"x_request_id\"";
  if (!sampling.keep.empty()) out.json += ",\n  \"keep\": " + json_text(sampling.keep);
  out.json += ",\n  \"routes\": [";
  constexpr std::string_view kEnd = "\n  ]\n}}\n";
  std::set<std::string> names;  // in JSON: what is no UTF-8 may be the same there
  for (const auto& route : registry.routes) {
    const std::string entry = (out.listed == 0 ? "\n    " : ",\n    ") + entry_json(route, clock);
    if (out.listed == model::policy::kMostListedRates || out.json.size() + entry.size() + kEnd.size() > most_bytes ||
        !names.insert(json_text(route.route)).second) {
      ++out.left_out;
      continue;
    }
    out.json += entry;
    ++out.listed;
  }
  out.json += kEnd;
  return out;
}

}  // namespace tailcap::report
