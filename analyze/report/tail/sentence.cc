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
#include "analyze/report/words/pattern_text.h"
#include "analyze/report/words/words.h"
#include "ground/text.h"

namespace tailcap::report::tail {
namespace {

using model::Origin;
using model::TailStudy;
using model::Verdict;
using model::VerdictKind;
using model::VerdictPart;
using model::VerdictScope;

constexpr std::size_t kRequestsNamed = 3;
constexpr double kWorthAWord = 0.1;   // of the difference, or of a CPU
constexpr double kLeastNamed = 0.01;  // CPUs
constexpr std::size_t kTakersNamed = 3;

Duration ns(std::int64_t n) { return Duration{n}; }

std::string cpus_text(double cpus) {
  char text[24];
  std::snprintf(text, sizeof text, cpus < 0.095 ? "%.2f" : "%.1f", cpus);
  return text;
}

// "cc1plus (5 processes) used 1.5"
std::string taker_text(const model::CpuTaker& taker) {
  return shortened(printable(taker.comm), kTitle) +
         (taker.processes > 1 ? " (" + count_text(taker.processes) + " processes)" : "") + " used " +
         cpus_text(taker.cpus);
}

std::string stolen_text(const model::CpuShortage& s, const model::Study& study) {
  if (s.stolen <= 0) return {};
  return ": " + duration_text(ns(s.stolen)) + " of " + count_text(s.cpus, "CPU", "CPUs") + " in " +
         duration_text(study.end - study.begin);
}

// Who had the CPUs that the recorded processes did not have: "; cc1plus used 1.5".
std::string takers_text(const model::CpuShortage& s) {
  if (!s.takers_known) return "; this recording does not show who used the others";
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "; " : ", ") + text; };
  for (std::size_t i = 0; i < std::min(kTakersNamed, s.takers.size()); ++i)
    if (i == 0 || s.takers[i].cpus >= kWorthAWord) add(taker_text(s.takers[i]));
  if (s.steal >= kLeastNamed) add("the hypervisor took " + cpus_text(s.steal));
  if (s.recorder >= kLeastNamed) add("tailcap-record used " + cpus_text(s.recorder));
  return out.empty() ? "; others used next to nothing" : out;
}

// What the first part's origin adds.
std::string origin_text(const Verdict& v, const model::Study& study) {
  if (v.parts.empty()) return {};
  const VerdictPart& part = v.parts.front();
  const model::CpuShortage& s = study.shortage;
  const std::string used = duration_text(ns(s.total)) + " of " + duration_text(study.end - study.begin);
  switch (part.origin) {
    case Origin::unexplained:
      return " The cause is not known: the recording does not show what they waited for.";
    case Origin::machine:
      return s.takers.empty() ? " Others used the CPUs, not the recorded processes."
                              : " Others used the CPUs: while recorded threads queued for one, " +
                                    taker_text(s.takers.front()) + ".";
    case Origin::hypervisor:
      return " The hypervisor took the CPUs away" + stolen_text(s, study) + ".";
    case Origin::recorder:
      return " tailcap-record itself used the CPUs, " + cpus_text(s.recorder) + " of " +
             count_text(s.cpus, "CPU", "CPUs") + " while recorded threads queued for one: recording caused this.";
    case Origin::own_load:
      return " The recorded processes themselves used the CPUs.";
    case Origin::passed_on:
      return " " + ground::share_text(std::max(part.crowded, part.stolen)) + " of this wait coincides with " +
             (part.stolen > part.crowded ? "CPU time that the hypervisor took away"
                                         : "a shortage of CPU on the machine") +
             ", which may be why.";
    case Origin::machine_or_code:
      return " This recording has no stolen time per thread, so part of this may be time that the hypervisor took "
             "away.";
    case Origin::spread:
      return " They are the slow end of the usual spread: no separate cause is visible.";
    case Origin::service:
      break;
  }
  return {};
}

std::string loss_text(const Verdict& v, const model::Study& study) {
  const std::string missing =
      study.quality.lost == 0 ? " The kernel did not report up to " : " Lost events hide up to ";
  if (!v.ranked) return missing + duration_text(ns(v.lost)) + " of a slow request, too much to rank the causes.";
  if (static_cast<double>(v.lost) < kWorthAWord * static_cast<double>(v.slow - v.typical)) return {};
  return missing + duration_text(ns(v.lost)) + " of it.";
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
  const std::string slow = duration_text(ns(v.slow)), typical = " (typical: " + duration_text(ns(v.typical)) + ")";
  if (v.routes.size() > 1)
    return count_text(v.requests) + " of " + count_text(v.of) + " are slow and average " + slow + typical;
  if (v.requests == 1) return "the slowest of " + count_text(v.of) + " took " + slow + typical;
  return "the slowest " + count_text(v.requests) + " of " + count_text(v.of) + " average " + slow + typical;
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
  return v.parts.empty() || v.of == 1 ? out + "." : out + "; " + duration_text(ns(v.slow)) + " on average.";
}

std::vector<Said> unfinished_pieces(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
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
  out += ".";
  if (v.parts.empty()) return {{Aspect::head, out}};
  const bool cut = v.oldest > model::kUnfinishedShown;
  return {{Aspect::head, out},
          {Aspect::cause, (cut ? " In the last " : " In these ") + duration_text(ns(v.slow)) +
                              (v.requests > 1 ? " on average, " : ", ") + parts_text(v, study, table, "") + "." +
                              origin_text(v, study)}};
}

std::vector<Said> machine_pieces(const Verdict& v, const model::Study& study) {
  const model::CpuShortage& s = study.shortage;
  const Origin origin = v.parts.empty() ? Origin::machine : v.parts.front().origin;
  std::string head = "The machine was short of CPU: ", cause;
  if (origin == Origin::hypervisor) head += "the hypervisor took the CPUs away" + stolen_text(s, study) + ". ";
  if (s.total > 0) {
    head += std::string(origin == Origin::hypervisor ? "For " : "for ") + duration_text(ns(s.total)) + " of " +
            duration_text(study.end - study.begin) + ", recorded threads were runnable but had no CPU.";
    cause = " Meanwhile, the recorded processes used " + cpus_text(s.own) + " of " + count_text(s.cpus, "CPU", "CPUs") +
            (origin == Origin::own_load ? "" : takers_text(s)) + ".";
  }
  if (origin == Origin::own_load) cause += " They filled it themselves.";
  if (origin == Origin::recorder) cause += " Recording caused this.";
  std::vector<Said> out = {{Aspect::head, head}, {Aspect::cause, cause}};
  out.push_back({Aspect::felt, " This accounts for " + duration_text(ns(v.explained)) + " of the " +
                                   duration_text(ns(v.excess)) + " by which " +
                                   count_text(v.requests, "slow request", "slow requests") + " on " +
                                   count_text(v.routes.size(), "route", "routes") + " exceeded typical ones."});
  const auto most = std::max_element(v.when.begin(), v.when.end(),
                                     [](const auto& a, const auto& b) { return a.requests < b.requests; });
  if (most != v.when.end() && 2 * most->requests > v.requests)
    out.push_back({Aspect::when, " Most of them came in one burst, at " + burst_text(*most, study.begin) + ": " +
                                     count_text(most->requests) + "."});
  return out;
}

// How long every request of the route takes, and what most of that is spent on.
std::vector<Said> usual_pieces(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  const VerdictPart& part = v.parts.front();
  const double share = static_cast<double>(part.typical) / static_cast<double>(std::max<std::int64_t>(1, v.typical));
  return {{Aspect::head, "every request takes about " + duration_text(ns(v.typical))},
          {Aspect::cause, "; " + duration_text(ns(part.typical)) + " of it (" + ground::share_text(share) + ") " +
                              std::string(spent_text(part.label)) + part_text(part, table) + "." + function_text(v) +
                              waiting_text(v)},
          {Aspect::rest, queue_text(v, study, table) + origin_text(v, study) + sure_text(v, study, table)}};
}

std::vector<Said> slow_pieces(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  const std::string new_calls = v.new_calls ? new_calls_text(*v.new_calls, study) + " " : "";
  return {
      {Aspect::head, new_calls + comparison_text(v)},
      {Aspect::cause, (!v.by_cause.empty() ? ": " + causes_text(v, study, table)
                       : v.parts.empty()   ? "; many small differences add up."
                                           : ". " + parts_text(v, study, table) + ".") +
                          function_text(v) + waiting_text(v)},
      {Aspect::rest, queue_text(v, study, table) + disk_text(v) + memory_text(v) + unanswered_text(v)},
      {Aspect::felt, felt_text(v, study)},
      {Aspect::when, pattern_text(v, study)},
      {Aspect::rest, shared_text(v, study) + origin_text(v, study) + loss_text(v, study) + sure_text(v, study, table)}};
}

std::vector<Said> few_pieces(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  const std::string parts = v.parts.empty() ? "" : " " + parts_text(v, study, table) + ".";
  return {{Aspect::head, few_text(v, table)},
          {Aspect::cause, parts + function_text(v) + waiting_text(v)},
          {Aspect::rest, queue_text(v, study, table) + sure_text(v, study, table)}};
}

// "the client 127.0.0.9, process reader.py"
std::string client_name(const VerdictPart& part) {
  return part.who ? "the client " + peer_text(part.who->peer) : std::string("the client");
}

// Why a response stayed behind that its service had sent.
std::string kept_back_text(const Verdict& v) {
  const VerdictPart& part = v.parts.front();
  const std::string client = client_name(part), share = ground::share_text(v.window_share);
  switch (part.label) {
    case model::Label::net_nagle:
      return " Nagle's algorithm held their end back until " + client +
             " had acknowledged what came before, and that was late: a delayed acknowledgement (inferred). "
             "TCP_NODELAY, or one write for a response, avoids it.";
    case model::Label::send_sndbuf:
      return " They lay in the socket's buffer: the receive window of " + client + " was full for " + share +
             " of that time" + (part.inferred ? ", because it read slowly (inferred)." : ".");
    default:
      return " They lay in the socket's buffer: the network on the way to " + client +
             " had not acknowledged enough of what was sent before.";
  }
}

std::vector<Said> undelivered_pieces(const Verdict& v, const model::Study& study) {
  const std::string late = duration_text(ns(v.parts.front().slow));
  return {{Aspect::head, count_text(v.requests) + " of " + count_text(v.of, "response", "responses") +
                             " went out only " + late + " after the service had written them, on average; " +
                             "the service itself took " + duration_text(ns(v.typical)) + "."},
          {Aspect::cause, kept_back_text(v)},
          {Aspect::when, pattern_text(v, study)}};
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

std::vector<Said> pieces(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  std::vector<Said> out;
  if (v.kind == VerdictKind::nothing) return out;
  if (v.scope == VerdictScope::machine) return machine_pieces(v, study);
  if (v.kind == VerdictKind::few)
    out = few_pieces(v, study, table);
  else if (v.kind == VerdictKind::unfinished)
    out = unfinished_pieces(v, study, table);
  else if (v.kind == VerdictKind::failing)
    out = {{Aspect::head, failed_text(v)},
           {Aspect::cause, failing_text(v, study)},
           {Aspect::rest, never_seen_text(v, study)},
           {Aspect::when, pattern_text(v, study)},
           {Aspect::rest, shared_text(v, study)}};
  else if (v.kind == VerdictKind::undelivered)
    out = undelivered_pieces(v, study);
  else if (v.kind == VerdictKind::usual)
    out = v.new_calls ? std::vector<Said>{{Aspect::head, new_calls_text(*v.new_calls, study)}}
                      : usual_pieces(v, study, table);
  else
    out = slow_pieces(v, study, table);
  if (v.kind == VerdictKind::unfinished) out.push_back({Aspect::rest, sure_text(v, study, table)});
  out.front().text.insert(0, subject(v, study) + ": ");
  return out;
}

std::string sentence(const Verdict& v, const model::Study& study, const model::RequestTable& table) {
  std::string out;
  for (const Said& said : pieces(v, study, table)) out += said.text;
  return out;
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
  return "Time of these " + count_text(tail.requests, "request", "requests") + ": unexplained " +
         share_text(tail.unexplained, 1.0) + "; blocked, cause unknown " + share_text(tail.causeless, 1.0) +
         "; inferred rather than measured " + share_text(tail.inferred, 1.0) + ".";
}

std::string bursts_text(const TailStudy& tail, formats::Time begin) {
  if (tail.slow == 0 || tail.bursts == 0) return {};
  if (tail.slow == 1) return "at " + offset_text(tail.largest_burst_at, begin);
  const std::string requests = count_text(tail.slow) + " requests in ";
  if (tail.bursts == 1) return requests + "one burst at " + offset_text(tail.largest_burst_at, begin);
  std::string out = requests + count_text(tail.bursts) + " bursts";
  const bool clustered = static_cast<double>(tail.bursts) < 0.5 * tail.bursts_if_spread;
  out += clustered ? ", closer together than by chance; the largest, of " + count_text(tail.largest_burst) + ", at " +
                         offset_text(tail.largest_burst_at, begin)
                   : ", spread over the recording";
  return out;
}

}  // namespace tailcap::report::tail
