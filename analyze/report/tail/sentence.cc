#include "analyze/report/tail/sentence.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::LabelDifference;
using model::TailStudy;
using model::TailVerdict;

constexpr std::size_t kNamed = 3;    // causes, or differences where there is none; the others are in the table
constexpr double kWorthAWord = 0.1;  // of the gap
constexpr double kMostly = 0.5;
constexpr std::uint64_t kFewBursts = 5;  // so few are said: they are the size of the sample

Duration ns(std::int64_t n) { return Duration{n}; }

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

std::string whole_percent(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return "0 %";
  const auto percent = std::llround(100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return std::to_string(std::clamp<long long>(percent, 1, part < whole ? 99 : 100)) + " %";
}

const LabelDifference* find(const TailStudy& tail, model::Label label) {
  const auto at =
      std::find_if(tail.labels.begin(), tail.labels.end(), [&](const LabelDifference& d) { return d.label == label; });
  return at == tail.labels.end() ? nullptr : &*at;
}

// The blocker that caused most of the label's time; nullptr: no single one.
const model::CulpritStudy* main_culprit(const TailStudy& tail, const LabelDifference& d) {
  for (const auto& c : tail.culprits)
    if (c.label == d.label)
      return share(static_cast<double>(c.time), static_cast<double>(d.slow) * static_cast<double>(tail.slow)) >= kMostly
                 ? &c
                 : nullptr;
  return nullptr;
}

std::string label_words(const TailStudy& tail, const LabelDifference& d, const model::TextPool& texts) {
  std::string out(model::text_of(d.label));
  if (const auto* culprit = main_culprit(tail, d))
    if (const std::string who = culprit_text(*culprit, texts); !who.empty()) out += " " + who;
  return out;
}

// "(89 % of the slow requests, 36.9–42.5)"
std::string sureness(const TailStudy& tail, const LabelDifference& d, bool first) {
  std::string out = " (" + whole_percent(d.slow_with, tail.slow) + (first ? " of the slow requests" : "");
  if (tail.intervals)
    out += ", " + duration_in_unit_of(ns(d.low), ns(tail.slow_mean)) + "–" +
           duration_in_unit_of(ns(d.high), ns(tail.slow_mean));
  return out + (2 * d.slow_inferred > d.slow ? ", inferred)" : ")");
}

// "39.6 of the 42.5 ms more is CPU quota throttling (…), 2.85 waiting for a lock …": the given differences.
std::string shares_of_gap(const TailStudy& tail, const std::vector<const LabelDifference*>& differences,
                          const model::TextPool& texts) {
  std::string out;
  const Duration scale = ns(tail.slow_mean);
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const LabelDifference& d = *differences[i];
    out += (i == 0 ? "" : ", ") + duration_in_unit_of(ns(d.difference()), scale);
    if (i == 0) {
      const std::string unit = duration_text(scale);
      out += " of the " + duration_in_unit_of(ns(tail.gap()), scale) + unit.substr(unit.find(' ')) + " more is";
    }
    out += " " + label_words(tail, d, texts) + sureness(tail, d, i == 0);
  }
  return out;
}

// The part of the gap without a name, if it is large enough to mention and no listed label says it.
std::string nameless(const TailStudy& tail, const std::vector<const LabelDifference*>& said) {
  std::int64_t unexplained = 0, causeless = 0;
  for (const auto& d : tail.labels) {
    if (std::find(said.begin(), said.end(), &d) != said.end()) continue;
    if (model::unexplained(d.label)) unexplained += d.difference();
    if (model::causeless(d.label)) causeless += d.difference();
  }
  std::string out;
  const auto worth = [&](std::int64_t part) {
    return share(static_cast<double>(part), static_cast<double>(tail.gap())) >= kWorthAWord;
  };
  if (worth(causeless))
    out += "; for " + duration_text(ns(causeless)) + " it is known that they were blocked, and not by what";
  if (worth(unexplained)) out += "; " + duration_text(ns(unexplained)) + " could not be explained";
  return out;
}

std::string typical_words(const TailStudy& tail) {
  const auto most = std::max_element(tail.labels.begin(), tail.labels.end(),
                                     [](const auto& a, const auto& b) { return a.typical < b.typical; });
  if (most == tail.labels.end() || most->typical <= 0) return {};
  return " A typical request spends " + duration_text(ns(most->typical)) + " (" +
         whole_percent(static_cast<std::uint64_t>(most->typical), static_cast<std::uint64_t>(tail.typical_mean)) +
         ") " + std::string(model::text_of(most->label)) + ".";
}

}  // namespace

std::string slow_name(const TailStudy& tail) {
  const auto hundredths = std::max<long long>(1, std::llround((1 - tail.slow_from) * 10'000));
  std::string percent = std::to_string(hundredths / 100);
  if (hundredths % 100 != 0) {
    std::string part = std::to_string(100 + hundredths % 100).substr(1);
    if (part.back() == '0') part.pop_back();
    percent += "." + part;
  }
  return "slowest " + percent + " %";
}

std::string culprit_text(const model::CulpritStudy& c, const model::TextPool& texts) {
  const std::string_view label = model::name_of(c.label);
  const auto starts = [&](std::string_view prefix) { return label.substr(0, prefix.size()) == prefix; };
  std::string request;
  if (c.route != 0)
    request = (c.method != 0 ? shortened(printable(texts[c.method]), 20) + " " : "") +
              shortened(printable(texts[c.route]), 80);
  if (c.route != 0 && c.authority != 0) request += " at " + shortened(printable(texts[c.authority]), 60);
  char address[32];
  const std::string place =
      c.what == 0 ? "" : "0x" + std::string(address, std::to_chars(address, address + sizeof address, c.what, 16).ptr);
  if (starts("lock.")) {
    // No goroutine holds a channel or a WaitGroup; another one ends the wait.
    const bool held = c.label == model::Label::lock_futex || c.label == model::Label::lock_go_mutex ||
                      c.label == model::Label::lock_kernel;
    const std::string holder = !request.empty() ? (held ? "held by " : "ended by ") + request
                               : c.tid != 0     ? "released by thread " + std::to_string(c.tid)
                                                : "";
    return (place.empty() ? "" : "at " + place) + (place.empty() || holder.empty() ? "" : " ") + holder;
  }
  if (starts("down.")) {
    // Mentioned only if it is most of the wait: then it is the next place to look.
    const bool most = static_cast<double>(c.inside_time) >= kMostly * static_cast<double>(c.time) && c.inside_time > 0;
    return request.empty()
               ? ""
               : "(" + request + (most ? ", there mostly " + std::string(model::text_of(c.inside)) : "") + ")";
  }
  if (c.label == model::Label::q_loop) return request.empty() ? "" : "(" + request + ")";
  if (starts("q.")) return request.empty() ? "" : "behind " + request;
  if (!c.group.path.empty()) return "of " + group_text(c.group);
  if (c.label == model::Label::sched_stopped) return c.tid == 0 ? "" : "by thread " + std::to_string(c.tid);
  if (starts("io.")) return place.empty() ? "" : "on device " + place;
  return request.empty() ? "" : "(" + request + ")";
}

std::string honesty_text(const TailStudy& tail) {
  return "Of the time of these " + count_text(tail.requests, "request", "requests") + " " +
         share_text(tail.unexplained, 1.0) + " is not explained, " + share_text(tail.causeless, 1.0) +
         " is blocked for a reason not known, " + share_text(tail.inferred, 1.0) + " is inferred and not measured.";
}

std::string bursts_text(const TailStudy& tail, formats::Time begin) {
  if (tail.slow == 0 || tail.bursts == 0) return {};
  if (tail.bursts == 1)
    return "all " + count_text(tail.slow) + " of them in one burst at " + offset_text(tail.largest_burst_at, begin);
  std::string out = count_text(tail.slow) + " of them, in " + count_text(tail.bursts) + " bursts";
  const bool clustered = static_cast<double>(tail.bursts) < 0.5 * tail.bursts_if_spread;
  out += clustered ? ", closer together than chance would put them; the largest, of " + count_text(tail.largest_burst) +
                         ", at " + offset_text(tail.largest_burst_at, begin)
                   : ", strewn over the recording";
  return out;
}

std::string sentence(const model::RouteStudy& route, const model::TextPool& texts) {
  if (!route.tail) return {};
  const TailStudy& tail = *route.tail;
  const std::string title = shortened(route_title(route), kTitle) + ": ";
  if (tail.verdict == TailVerdict::refused)
    return title + "why its slowest requests are slow cannot be said: " + tail.reason + ".";
  const Duration scale = ns(tail.slow_mean);
  std::string out = title + "the " + slow_name(tail) +
                    (route.role == model::Role::client ? " of the calls made take " : " take ") + duration_text(scale) +
                    " against " + duration_in_unit_of(ns(tail.typical_mean), scale) + " typically";
  std::vector<const LabelDifference*> said;
  if (tail.verdict == TailVerdict::cause) {
    for (const model::Label label : tail.causes)
      if (const auto* d = find(tail, label); d && said.size() < kNamed) said.push_back(d);
    out += "; " + shares_of_gap(tail, said, texts) + nameless(tail, said);
    if (tail.bursts <= kFewBursts) out += "; they came in " + count_text(tail.bursts, "burst", "bursts") + " only";
    return out + ".";
  }
  if (tail.verdict == TailVerdict::no_tail)
    return out + ", no tail to explain: " + tail.reason + "." + typical_words(tail);
  const bool incident = tail.reason.empty();
  out += incident ? "; they came in " + count_text(tail.bursts, "burst", "bursts") +
                        ", which is too few to tell a cause from chance"
                  : "; no cause stands out: " + tail.reason;
  for (const auto& d : tail.labels)
    if (said.size() < (incident ? kNamed : 2) &&
        share(static_cast<double>(d.difference()), static_cast<double>(tail.gap())) >= kWorthAWord)
      said.push_back(&d);
  out += ".";
  if (!said.empty()) {
    out += " " + shares_of_gap(tail, said, texts) + nameless(tail, said) + ".";
  }
  return out + typical_words(tail);
}

}  // namespace tailcap::report::tail
