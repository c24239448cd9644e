#include "analyze/report/tail/failing_text.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::FailedEnd;
using model::FailureCause;
using model::TroubleKind;
using model::Verdict;

constexpr std::size_t kEnds = 3, kWhat = 80;

std::string end_text(const FailedEnd& end) {
  model::Request row;
  row.status = end.status;
  row.grpc_status = end.grpc_status;
  row.outcome = end.outcome;
  std::string out = end.error_code.empty() ? outcome_text(row) : shortened(printable(end.error_code), kWhat);
  if (end.with_message == 0) return out;
  out += ", “" + shortened(printable(end.message), kWhat) + "”";
  return end.with_message == end.requests ? out : out + " in " + count_text(end.with_message);
}

// "502", "502 in 20, no response in 7"
std::string ends_text(const Verdict& v) {
  if (v.ends.size() == 1) return end_text(v.ends.front());
  std::string out;
  for (std::size_t i = 0; i < std::min(kEnds, v.ends.size()); ++i)
    out += (i == 0 ? "" : ", ") + end_text(v.ends[i]) + " in " + count_text(v.ends[i].requests);
  return out + (v.ends.size() > kEnds ? ", …" : "");
}

std::string event_text(const FailureCause& c) {
  const std::string what = shortened(printable(c.what), kWhat);
  const std::string cause = shortened(printable(c.cause), kWhat);
  switch (c.kind) {
    case TroubleKind::name:
      return "the lookup of " + what + " failed (" + cause + ")";
    case TroubleKind::connect:
      return "a connection to " + what + " failed (" + cause + ")";
    case TroubleKind::tls:
      return "the TLS handshake with " + what + " failed (" + cause + ")";
    case TroubleKind::call:
      return "the call " + what + " also failed (" + end_text(c.end) + ")";
    case TroubleKind::stale:
      return "a request was sent on a connection that " + what + " had already closed (stale keep-alive" +
             (c.idle >= 0 ? ", idle for " + duration_text(Duration{c.idle}) : "") + ")";
    case TroubleKind::goaway:
      return what + " ended the connection with an error (HTTP/2 GOAWAY " + cause + ")";
    case TroubleKind::ended:
      if (c.cause == "out of memory")
        return "the kernel killed the process that worked on it, " + (what.empty() ? "" : what + ", ") +
               "because memory was short (out of memory, OOM)";
      return "the process that worked on it" + (what.empty() ? "" : ", " + what + ",") + " ended (" + cause + ")";
  }
  return {};
}

// " In all 27 the lookup of a.test failed (NXDOMAIN); this happened in none of the other 179."
std::string cause_text(const FailureCause& c, const Verdict& v) {
  std::string out = c.failed < v.requests ? " In " + count_text(c.failed) + " of them"
                    : v.requests == 1     ? " Meanwhile,"
                    : v.requests == 2     ? " In both"
                                          : " In all " + count_text(v.requests);
  const bool elsewhere = c.kind == TroubleKind::name || c.kind == TroubleKind::connect || c.kind == TroubleKind::tls;
  if (elsewhere && !c.by_thread) out += ", meanwhile in their process,";
  out += " " + event_text(c);
  const std::uint64_t others = v.of - v.requests;
  if (others > 0)
    out += "; this happened in " + (c.others == 0 ? std::string("none") : count_text(c.others)) + " of the other " +
           count_text(others);
  return out + ".";
}

// Servers make calls; what a client's calls failed of is known to the server.
bool nothing_seen(const Verdict& v, const model::Study& study) {
  const bool server = v.routes.empty() || study.routes[v.routes.front()].role == model::Role::server;
  return v.causes.empty() && server;
}

}  // namespace

std::string failed_text(const Verdict& v) {
  const std::string out = v.requests == v.of
                              ? (v.of == 1 ? "the only request" : "all " + count_text(v.of) + " requests")
                              : count_text(v.requests) + " of " + count_text(v.of, "request", "requests");
  return out + " failed (" + ends_text(v) + ").";
}

std::string failing_text(const Verdict& v, const model::Study& study) {
  std::string out;
  for (const FailureCause& c : v.causes) out += cause_text(c, v);
  if (nothing_seen(v, study)) out += " The recording has no failed call, connection or name lookup of theirs.";
  return out;
}

std::string never_seen_text(const Verdict& v, const model::Study& study) {
  if (!nothing_seen(v, study)) return {};
  return " A connect that fails before its first packet (no route, no UNIX socket there) is in no recording.";
}

}  // namespace tailcap::report::tail
