#include "analyze/report/words/pattern_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::Pattern;
using model::Verdict;

constexpr std::size_t kBurstsNamed = 3;

// "Twice", "12 times"
std::string often_text(std::size_t n) { return n == 1 ? "Once" : n == 2 ? "Twice" : count_text(n) + " times"; }

std::string rate_per_minute(double rate) {
  return rate >= 10 ? count_text(static_cast<std::uint64_t>(std::llround(rate))) : std::to_string(rate).substr(0, 3);
}

std::string trait_text(const model::SharedTrait& t, bool server) {
  using Kind = model::SharedTrait::Kind;
  const std::string value = shortened(printable(t.value), 80);
  const auto bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, t.number));
  switch (t.kind) {
    case Kind::host:
      return (server ? "come from " : "go to ") + value;
    case Kind::connection:
      return "are on the connection with " + value;
    case Kind::thread:
      return (server ? "were served by thread " : "were made by thread ") + std::to_string(t.number);
    case Kind::path:
      return "have the path " + value;
    case Kind::authority:
      return "are for the host name " + value;
    case Kind::header:
      return "have the header field " + value;
    case Kind::first:
      return "are the first on their connection";
    case Kind::request_size:
      return "have a request body of at least " + bytes_text(bytes);
    case Kind::response_size:
      return "have a response body of at least " + bytes_text(bytes);
    case Kind::calls:
      return "make at least " + count_text(bytes) + " calls each to " + value;
    case Kind::load:
      return "started with at least " + count_text(bytes) + " requests of this route in flight";
  }
  return {};
}

}  // namespace

std::string more_text(std::size_t all, std::size_t named) {
  return all > named ? " and " + count_text(all - named) + " more" : "";
}

std::string burst_text(const model::Burst& burst, formats::Time begin) {
  return offset_text(burst.from, begin) + " (" + duration_text(burst.to - burst.from) + ")";
}

std::string pattern_text(const Verdict& v, const model::Study& study) {
  const std::string length = duration_text(study.end - study.begin);
  switch (v.pattern) {
    case Pattern::single:
      return v.when.empty() ? "" : " Once, at " + offset_text(v.when.front().from, study.begin) + ".";
    case Pattern::incident:
      return v.when.empty() ? ""
                            : " One burst, at " + offset_text(v.when.front().from, study.begin) + ", " +
                                  duration_text(v.when.front().to - v.when.front().from) +
                                  " long; one recording cannot tell whether it recurs.";
    case Pattern::incidents: {
      std::string out = " In " + count_text(v.when.size(), "burst", "bursts") + ":";
      for (std::size_t i = 0; i < std::min(kBurstsNamed, v.when.size()); ++i)
        out += (i == 0 ? " at " : ", ") + burst_text(v.when[i], study.begin);
      return out + more_text(v.when.size(), kBurstsNamed) + ".";
    }
    case Pattern::periodic: {
      const auto distance = (v.when.back().from - v.when.front().from) / static_cast<std::int64_t>(v.when.size() - 1);
      return " It recurs every " + duration_text(distance) + ", " + count_text(v.when.size()) + " times in " + length +
             ".";
    }
    case Pattern::always:
      return {};
    case Pattern::recurring:
      break;
  }
  if (v.when.size() < 2) return {};
  return " " + often_text(v.when.size()) + " in " + length +
         (v.rate_high > 0
              ? " (" + rate_per_minute(v.rate_low) + "–" + rate_per_minute(v.rate_high) + " per minute if random)"
              : "") +
         ".";
}

std::string shared_text(const Verdict& v, const model::Study& study) {
  const bool server = v.routes.empty() || study.routes[v.routes.front()].role == model::Role::server;
  std::string out;
  for (const model::SharedTrait& t : v.shared) {
    const std::string which = t.slow != t.of_slow ? count_text(t.slow) + " of the " + count_text(t.of_slow)
                              : t.slow == 2       ? "Both"
                                                  : "All " + count_text(t.slow);
    const std::string others =
        t.others == 0 ? "none" : ground::share_text(static_cast<double>(t.others) / static_cast<double>(t.of_others));
    out += " " + which + " " + trait_text(t, server) + " (other requests: " + others + ").";
  }
  return out;
}

}  // namespace tailcap::report
