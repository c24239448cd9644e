#include "analyze/report/tail/sentence.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "analyze/report/tail/failing_text.h"
#include "analyze/report/tail/part_text.h"
#include "analyze/report/tail/sure_text.h"
#include "analyze/report/words/circumstances.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "ground/text.h"

namespace tailcap::report::tail {
namespace {

using model::Origin;
using model::Pattern;
using model::TailStudy;
using model::Verdict;
using model::VerdictKind;
using model::VerdictPart;
using model::VerdictScope;

constexpr std::size_t kEpisodesNamed = 3;
constexpr std::size_t kRequestsNamed = 3;
constexpr double kWorthAWord = 0.1;   // of the difference, or of a CPU
constexpr double kLeastNamed = 0.01;  // CPUs
constexpr std::size_t kTakersNamed = 3;

Duration ns(std::int64_t n) { return Duration{n}; }

std::string span_text(const model::Burst& burst, formats::Time begin) {
  return offset_text(burst.from, begin) + " for " + duration_text(burst.to - burst.from);
}

// " and 2 more"; empty where all are named.
std::string more_text(std::size_t all, std::size_t named) {
  return all > named ? " and " + count_text(all - named) + " more" : "";
}

std::string pattern_text(const Verdict& v, const model::Study& study) {
  const std::string length = duration_text(study.end - study.begin);
  switch (v.pattern) {
    case Pattern::single:
      return v.when.empty() ? "" : " Once, at " + offset_text(v.when.front().from, study.begin) + ".";
    case Pattern::incident:
      return v.when.empty() ? ""
                            : " One incident, from " + span_text(v.when.front(), study.begin) +
                                  "; one recording cannot tell whether it recurs.";
    case Pattern::incidents: {
      std::string out = " In " + count_text(v.when.size(), "incident", "incidents") + ":";
      for (std::size_t i = 0; i < std::min(kEpisodesNamed, v.when.size()); ++i)
        out += (i == 0 ? " " : ", ") + span_text(v.when[i], study.begin);
      return out + more_text(v.when.size(), kEpisodesNamed) + ".";
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
  const auto rate = [](double per_minute) {
    return per_minute >= 10 ? count_text(static_cast<std::uint64_t>(std::llround(per_minute)))
                            : std::to_string(per_minute).substr(0, 3);
  };
  return " " + count_text(v.when.size()) + " times in " + length +
         (v.rate_high > 0 ? " (" + rate(v.rate_low) + " to " + rate(v.rate_high) + " a minute, if at random)" : "") +
         ".";
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
      return "began while at least " + count_text(bytes) + " requests of this route were under way";
  }
  return {};
}

// " 18 of the 20 come from 10.0.0.7, and 3 % of the other requests."
std::string shared_text(const Verdict& v, const model::Study& study) {
  const bool server = v.routes.empty() || study.routes[v.routes.front()].role == model::Role::server;
  std::string out;
  for (const model::SharedTrait& t : v.shared)
    out += (t.slow == t.of_slow ? " All " + count_text(t.slow)
                                : " " + count_text(t.slow) + " of the " + count_text(t.of_slow)) +
           " " + trait_text(t, server) + ", and " +
           (t.others == 0 ? "none"
                          : ground::share_text(static_cast<double>(t.others) / static_cast<double>(t.of_others))) +
           " of the other requests.";
  return out;
}

std::string cpus_text(double cpus) {
  char text[24];
  std::snprintf(text, sizeof text, cpus < 0.095 ? "%.2f" : "%.1f", cpus);
  return text;
}

// "cc1plus (5 processes) had 1.5"
std::string taker_text(const model::CpuTaker& taker) {
  return shortened(printable(taker.comm), kTitle) +
         (taker.processes > 1 ? " (" + count_text(taker.processes) + " processes)" : "") + " had " +
         cpus_text(taker.cpus);
}

std::string stolen_text(const model::CpuShortage& s, const model::Study& study) {
  if (s.stolen <= 0) return {};
  return ": " + duration_text(ns(s.stolen)) + " of " + count_text(s.cpus, "CPU", "CPUs") + " in " +
         duration_text(study.end - study.begin);
}

// Who had the CPUs that the recorded processes did not have.
std::string takers_text(const model::CpuShortage& s) {
  if (!s.takers_known) return " Who used the others this recording does not show.";
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? " " : ", ") + text; };
  for (std::size_t i = 0; i < std::min(kTakersNamed, s.takers.size()); ++i)
    if (i == 0 || s.takers[i].cpus >= kWorthAWord) add(taker_text(s.takers[i]));
  if (s.steal >= kLeastNamed) add((out.empty() ? "The hypervisor took " : "the hypervisor took ") + cpus_text(s.steal));
  if (s.recorder >= kLeastNamed) add("tailcap-record had " + cpus_text(s.recorder));
  return out.empty() ? " Others used next to nothing." : out + ".";
}

// What the first part's origin adds.
std::string origin_text(const Verdict& v, const model::Study& study) {
  if (v.parts.empty()) return {};
  const VerdictPart& part = v.parts.front();
  const model::CpuShortage& s = study.shortage;
  const std::string used = duration_text(ns(s.total)) + " of " + duration_text(study.end - study.begin);
  switch (part.origin) {
    case Origin::unexplained:
      return " What caused this is not known: the recording does not show what they waited for.";
    case Origin::machine:
      return s.takers.empty()
                 ? " Others used the CPUs, not the recorded processes."
                 : " Others used the CPUs: whenever recorded threads queued, " + taker_text(s.takers.front()) + ".";
    case Origin::hypervisor:
      return " The hypervisor took the CPUs away" + stolen_text(s, study) + ".";
    case Origin::recorder:
      return " tailcap-record itself used the CPUs, " + cpus_text(s.recorder) + " of " +
             count_text(s.cpus, "CPU", "CPUs") + " whenever recorded threads queued: this was caused by recording.";
    case Origin::own_load:
      return " The recorded processes themselves used the CPUs.";
    case Origin::passed_on:
      return " " + ground::share_text(std::max(part.crowded, part.stolen)) + " of this wait coincides with " +
             (part.stolen > part.crowded ? "CPU time that the hypervisor took away"
                                         : "a shortage of CPU on the machine") +
             ", which may be why.";
    case Origin::machine_or_code:
      return " This recording cannot tell the code's own time from time that the hypervisor took away.";
    case Origin::spread:
      return " They are the slow end of the usual spread: no separate cause is visible.";
    case Origin::service:
      break;
  }
  return {};
}

std::string loss_text(const Verdict& v, const model::Study& study) {
  const std::string missing = study.quality.lost == 0 ? " was not reported by the kernel" : " lies in lost events";
  if (!v.ranked)
    return " Up to " + duration_text(ns(v.lost)) + " of a slow request" + missing + ", too much to rank the causes.";
  if (static_cast<double>(v.lost) < kWorthAWord * static_cast<double>(v.slow - v.typical)) return {};
  return " Up to " + duration_text(ns(v.lost)) + " of it" + missing + ".";
}

// " On a CPU, 82 % of 41 samples were in render_invoice (svc.py:5)."
std::string function_text(const Verdict& v) {
  if (!v.function) return {};
  return " On a CPU, " + share_text(v.function->inside, v.function->samples) + " of " +
         count_text(v.function->samples, "sample", "samples") + " were in " +
         shortened(printable(v.function->name), 80) + ".";
}

// " By the stacks of 12 of 30 waits, 97 % of the time waiting for a lock was in add_item, called from serve; it had
// called pthread_mutex_lock."
std::string waiting_text(const Verdict& v) {
  if (!v.waiting || v.waiting_part >= v.parts.size()) return {};
  const model::WaitingFunction& w = *v.waiting;
  const auto name = [](const std::string& text) { return shortened(printable(text), 80); };
  const std::string waits =
      w.stacks < w.waits
          ? "the stacks of " + count_text(w.stacks) + " of " + count_text(w.waits, "wait", "waits")
          : "the " + std::string(w.stacks == 1 ? "stack" : "stacks") + " of " + count_text(w.waits, "wait", "waits");
  return " By " + waits + ", " + share_text(static_cast<std::uint64_t>(w.inside), static_cast<std::uint64_t>(w.time)) +
         " of the time " + std::string(model::text_of(v.parts[v.waiting_part].label)) + " was in " + name(w.name) +
         (w.caller.empty() ? "" : ", called from " + name(w.caller)) +
         (w.called.empty() ? "" : "; it had called " + name(w.called)) + ".";
}

// The queue of the listener behind a wait for a connection, where it dropped attempts meanwhile.
std::string queue_text(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  for (const VerdictPart& part : v.parts) {
    const bool connects = part.label == model::Label::down_connect || part.label == model::Label::down_retx;
    if (!connects || !part.who || part.who->example.connection == 0) continue;
    for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
      if (table.rows.id(i) != part.who->example) continue;
      const auto at = study.queue_of.find(table.rows.peer(i).connection);
      if (at == study.queue_of.end()) break;
      const model::ListenQueue& q = study.queues[at->second];
      const model::Setup* setup = table.setups.find(part.who->example);
      const formats::Time from = setup && formats::known(setup->began()) ? setup->began() : table.rows.start(i);
      if (!formats::known(from) || from > q.to || from + table.rows.duration(i) < q.from) break;
      return " Its listen queue was full meanwhile (limit " + count_text(q.limit) + "): it dropped " +
             (q.dropped > 1 ? "up to " : "") + count_text(q.dropped, "attempt", "attempts") + " to connect.";
    }
  }
  return {};
}

std::string comparison_text(const Verdict& v) {
  return count_text(v.requests) + " of " + count_text(v.of) + (v.requests == 1 ? " takes " : " take ") +
         duration_text(ns(v.slow)) + (v.requests == 1 ? ", " : " on average, ") + "typical ones " +
         duration_text(ns(v.typical));
}

// "since +6.12 s 230 of 232 requests make a call that none of the 228 before made, GET /recommend at 10.0.0.5:80 (25.3
// ms on average): the median went from 5.21 ms to 31.2 ms."
std::string new_calls_text(const model::NewCalls& calls, const model::Study& study) {
  std::string out = "since " + offset_text(calls.since, study.begin) + " " +
                    (calls.after == calls.of ? "all " + count_text(calls.of)
                                             : count_text(calls.after) + " of " + count_text(calls.of)) +
                    " requests make a call that none of the " + count_text(calls.before) + " before made, " +
                    shortened(printable(calls.what), kTitle) + " (" + duration_text(Duration{calls.time}) +
                    " on average): the median went from " + duration_text(Duration{calls.median_before}) + " to " +
                    duration_text(Duration{calls.median_after}) + ".";
  if (calls.other_processes) out += " Other processes serve them since then: a reload or a restart.";
  return out;
}

std::string few_text(const Verdict& v, const model::RequestTable& table) {
  std::string out = count_text(v.of, "request", "requests") + ":";
  const std::span named = std::span(v.examples).first(std::min(v.examples.size(), kRequestsNamed));
  std::vector<std::string> durations(named.size());
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    if (const auto at = std::ranges::find(named, table.rows.id(i)); at != named.end())
      durations[static_cast<std::size_t>(at - named.begin())] = duration_text(table.rows.duration(i));
  for (std::size_t n = 0; n < named.size(); ++n)
    out += (n == 0 ? " " : ", ") + durations[n] + " (" + id_text(named[n]) + ")";
  if (v.parts.empty()) return out + ".";
  return out + "; on average " + duration_text(ns(v.slow)) + ", " + parts_text(v, table) + ".";
}

std::string unfinished_text(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  std::string out = count_text(v.requests, "request", "requests") + " had no answer when the recording ended";
  out += v.requests == 1 ? " (" : "; the oldest (";
  out += id_text(v.examples.front()) + "), after " + duration_text(ns(v.oldest));
  const model::RouteStudy& route = study.routes[v.routes.front()];
  const bool few = route.latency[3].support == model::Support::refused;
  if (v.typical > 0)
    out +=
        (few ? " (those that ended took at most " : " (p99 of those that ended: ") + duration_text(ns(v.typical)) + ")";
  else
    out += "; none of this route had ended";
  if (v.parts.empty()) return out + ".";
  const bool cut = v.oldest > model::kUnfinishedShown;
  return out + (cut ? ". In the last " : ". In these ") + duration_text(ns(v.slow)) +
         (v.requests > 1 ? " on average, " : ", ") + parts_text(v, table) + "." + origin_text(v, study);
}

std::string machine_text(const Verdict& v, const model::Study& study) {
  const model::CpuShortage& s = study.shortage;
  const Origin origin = v.parts.empty() ? Origin::machine : v.parts.front().origin;
  std::string out = "The machine was short of CPU: ";
  if (origin == Origin::hypervisor) out += "the hypervisor took the CPUs away" + stolen_text(s, study) + ". ";
  if (s.total > 0)
    out += std::string(origin == Origin::hypervisor ? "For " : "for ") + duration_text(ns(s.total)) + " of " +
           duration_text(study.end - study.begin) +
           " recorded threads queued for a CPU, while the recorded processes used " + cpus_text(s.own) + " of " +
           count_text(s.cpus, "CPU", "CPUs") + ".";
  if (origin == Origin::own_load)
    out += " They filled it themselves.";
  else if (s.total > 0)
    out += takers_text(s);
  if (origin == Origin::recorder) out += " This was caused by recording.";
  out += " " + count_text(v.requests, "slow request", "slow requests") + " on " +
         count_text(v.routes.size(), "route", "routes") + (v.requests == 1 ? " owes" : " owe") + " it " +
         duration_text(ns(v.explained)) + " of " + duration_text(ns(v.excess)) + " extra.";
  const auto most = std::max_element(v.when.begin(), v.when.end(),
                                     [](const auto& a, const auto& b) { return a.requests < b.requests; });
  if (most != v.when.end() && 2 * most->requests > v.requests)
    out += " Most of them in one stretch: " + span_text(*most, study.begin) + ", " +
           count_text(most->requests, "slow request", "slow requests") + ".";
  return out;
}

// "calls of GET /items" where the same route is served, too.
std::string subject_route(const model::Study& study, std::uint32_t number, const char* calls, std::size_t length) {
  const model::RouteStudy& route = study.routes[number];
  const bool served =
      route.role == model::Role::client && std::ranges::any_of(study.routes, [&](const auto& other) {
        return other.role == model::Role::server && other.method == route.method && other.route == route.route;
      });
  return (served ? calls : "") + shortened(route_title(route), length);
}

}  // namespace

std::string subject(const Verdict& v, const model::Study& study) {
  if (v.scope == VerdictScope::machine) return "The machine";
  if (v.routes.size() == 1) return subject_route(study, v.routes.front(), "Calls of ", kTitle);
  std::string out = count_text(v.routes.size()) + " routes (";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, v.routes.size()); ++i)
    out += (i == 0 ? "" : ", ") + subject_route(study, v.routes[i], "calls of ", 40);
  return out + more_text(v.routes.size(), 3) + ")";
}

std::string sentence(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  if (v.kind == VerdictKind::nothing) return {};
  if (v.scope == VerdictScope::machine) return machine_text(v, study);
  std::string out = subject(v, study) + ": ";
  if (v.kind == VerdictKind::few)
    return out + few_text(v, table) + function_text(v) + waiting_text(v) + queue_text(v, study, table) +
           sure_text(v, study, table);
  if (v.kind == VerdictKind::unfinished) return out + unfinished_text(v, study, table) + sure_text(v, study, table);
  if (v.kind == VerdictKind::failing)
    return out + failing_text(v, study) + pattern_text(v, study) + shared_text(v, study);
  if (v.new_calls) out += new_calls_text(*v.new_calls, study);
  if (v.kind == VerdictKind::usual && v.new_calls) return out;
  if (v.kind == VerdictKind::usual) {
    const VerdictPart& part = v.parts.front();
    return out + "every request takes about " + duration_text(ns(v.typical)) + ", " + duration_text(ns(part.typical)) +
           " of it (" +
           ground::share_text(static_cast<double>(part.typical) /
                              static_cast<double>(std::max<std::int64_t>(1, v.typical))) +
           ") " + part_text(part, table) + "." + function_text(v) + waiting_text(v) + queue_text(v, study, table) +
           origin_text(v, study) + sure_text(v, study, table);
  }
  out += (v.new_calls ? " " : "") + comparison_text(v);
  out += !v.by_cause.empty() ? ": " + causes_text(v, table)
         : v.parts.empty()   ? "; many small differences add up."
                             : "; " + parts_text(v, table) + ".";
  out += function_text(v) + waiting_text(v) + queue_text(v, study, table) + disk_text(v) + unanswered_text(v) +
         felt_text(v, study);
  out += pattern_text(v, study) + shared_text(v, study) + origin_text(v, study) + loss_text(v, study);
  return out + sure_text(v, study, table);
}

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

std::string honesty_text(const TailStudy& tail) {
  return "The time of these " + count_text(tail.requests, "request", "requests") + ": " +
         share_text(tail.unexplained, 1.0) + " is not explained, " + share_text(tail.causeless, 1.0) +
         " is blocked for a reason not known, " + share_text(tail.inferred, 1.0) + " is inferred and not measured.";
}

std::string bursts_text(const TailStudy& tail, formats::Time begin) {
  if (tail.slow == 0 || tail.bursts == 0) return {};
  if (tail.bursts == 1)
    return "all " + count_text(tail.slow) + " of them in one burst at " + offset_text(tail.largest_burst_at, begin);
  std::string out = count_text(tail.slow) + " of them, in " + count_text(tail.bursts) + " bursts";
  const bool clustered = static_cast<double>(tail.bursts) < 0.5 * tail.bursts_if_spread;
  out += clustered ? ", closer together than by chance; the largest, of " + count_text(tail.largest_burst) + ", at " +
                         offset_text(tail.largest_burst_at, begin)
                   : ", spread over the recording";
  return out;
}

}  // namespace tailcap::report::tail
