#include "analyze/report/sections/quality_line.h"

#include <algorithm>
#include <string>
#include <vector>

#include "analyze/model/study/unread.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/sampling.h"
#include "analyze/report/words/words.h"
#include "formats/bounds/read_limits.h"
#include "formats/event.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kUnreadNamed = 3;

using formats::CaptureState;
using model::Quality;
using model::Study;

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

bool has_defect(const model::Findings& findings) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(model::Finding::count_); ++i)
    if (const auto f = static_cast<model::Finding>(i);
        findings[f] != 0 && model::text_of(f).severity == model::Severity::defect)
      return true;
  return false;
}

// "15 of 30 connections are encrypted and were not read"
std::string unread_text(const Quality& q) {
  return count_text(q.connections_unread) + " of " +
         count_text(std::max(q.connections_moved, q.connections_unread), "connection", "connections") +
         (q.connections_unread == 1 ? " is encrypted and was not read" : " are encrypted and were not read");
}

// What makes the whole capture doubtful.
std::vector<std::string> troubles(const Quality& q) {
  std::vector<std::string> out;
  if (q.lost != 0)
    out.push_back(count_text(q.lost, "event", "events") + " lost (" + share_text(q.lost, q.events + q.lost) + ")");
  else if (!q.losses.empty())
    out.push_back("an unknown number of events lost");
  if (q.unseen != 0) out.push_back("up to " + count_text(q.unseen, "request", "requests") + " missing");
  if (q.file.damaged_blocks != 0 || q.file.damaged_bytes != 0) out.push_back("the file is damaged");
  if (!formats::stopped_captures().empty()) out.push_back("the file was not read to its end");
  if (q.file.state == CaptureState::truncated) out.push_back("the file is cut short");
  if (q.file.state == CaptureState::recovered) out.push_back("the file was recovered");
  if (q.file.state == CaptureState::recording) out.push_back("it is still being recorded");
  if (has_defect(q.findings)) out.push_back("the record contradicts itself");
  if (model::some_left_out(q)) out.push_back("some traffic could not be recorded");
  if (q.connections_unread != 0) out.push_back(unread_text(q));
  if (const std::uint64_t n = q.findings[model::Finding::bytes_unseen]; n != 0)
    out.push_back(count_text(n, "connection", "connections") +
                  " moved bytes that were not captured (splice, sendfile, io_uring, kernel TLS)");
  return out;
}

// How to record it, too: "--port 19080", "-p 3243".
std::string target_text(const model::ProcessSummary& process) {
  const std::size_t colon = process.served_at.rfind(':');
  const std::string port = colon == std::string::npos ? "" : process.served_at.substr(colon + 1);
  if (!port.empty() && port != "0" && port.find_first_not_of("0123456789") == std::string::npos)
    return "--port " + port;
  return "-p " + pid_text(process.pid);
}

// "50 requests by process 3243 (nginx), which was not recorded: record it with --port 19080"
std::string unrecorded_text(const Quality& q) {
  constexpr std::size_t kNamed = 2;
  std::string text;
  std::size_t named = 0, more = 0;
  std::uint64_t requests = 0;
  for (const model::ProcessSummary& process : q.processes) {
    if (process.recorded) continue;
    if (named == kNamed) {
      ++more;
      requests += process.requests;
      continue;
    }
    ++named;
    text += (text.empty() ? "" : "; ") + count_text(process.requests, "request", "requests") + " by process " +
            pid_text(process.pid) + (process.comm.empty() ? "" : " (" + printable(process.comm) + ")") +
            ", which was not recorded: record it with " + target_text(process);
  }
  if (more != 0)
    text += "; " + count_text(requests, "request", "requests") + " by " +
            count_text(more, "more process that was not recorded", "more processes that were not recorded");
  return text;
}

// "3,000 requests (both ends recorded), 2 incomplete"
std::string requests_text(const Quality& q) {
  std::string text = count_text(q.exchanges, "request", "requests");
  if (q.sampling.some()) text = sampling_text(q.sampling) + ": " + text;
  if (q.all_requests) text += ", " + whole_text(*q.all_requests);
  if (q.both_ends == q.exchanges)
    text += " (both ends recorded)";
  else if (q.both_ends != 0)
    text += " (" + count_text(q.both_ends) + " with both ends recorded)";
  if (q.complete != q.requests) {
    if (q.incomplete != 0) text += ", " + count_text(q.incomplete) + " incomplete";
    if (q.unknown != 0) text += ", " + count_text(q.unknown) + " of unknown outcome";
  }
  if (q.connections_other != 0)
    text += "; " + count_text(q.connections_other, "connection carries", "connections carry") +
            " another protocol, which is not read";
  return text;
}

// "7 accepted at 127.0.0.1:443"
std::string unread_peer(const model::TlsPeer& peer) {
  const std::string n = count_text(peer.unread);
  if (!peer.role_known)
    return peer.peer.empty() ? n + " open before the recording" : n + " with " + printable(peer.peer);
  return n + (peer.role == model::Role::client ? " to " : " accepted at ") + printable(peer.peer);
}

// Whose TLS was not read, and what helps.
std::string unread_tls_text(const Study& study) {
  if (study.quality.connections_unread == 0) return {};
  std::vector<std::string> where;
  std::uint64_t more = 0;
  for (const model::TlsPeer& peer : study.tls) {
    const bool client = peer.role_known && peer.role == model::Role::client;
    if (peer.unread == 0 || (client && study.quality.tls.seen != 0)) continue;
    if (where.size() < kUnreadNamed)
      where.push_back(unread_peer(peer));
    else
      more += peer.unread;
  }
  if (more != 0) where.push_back(count_text(more) + " more");
  return "TLS of " + count_text(study.quality.connections_unread, "connection", "connections") + " (" + joined(where) +
         "): requests in it are missing. TLS is read of OpenSSL, GnuTLS and Go; `tailcap info` says where their "
         "functions "
         "were found. Record the end of the connection that uses one of these, or the plaintext behind a proxy.";
}

}  // namespace

std::string part_read_text(const Quality& q) {
  const Time until = formats::known(q.read_until) ? q.read_until : q.file.last;
  const std::string all = " of " + duration_text(q.file.last - q.file.first);
  if (!formats::known(q.read_from)) return "the first " + duration_text(until - q.file.first) + all;
  return duration_text(until - q.read_from) + all + ", from " + duration_text(q.read_from - q.file.first) + " on";
}

FactLine quality_line(const Study& study) {
  const Quality& q = study.quality;
  const std::vector<std::string> wrong = troubles(q);
  if (q.requests == 0) {
    if (q.sampling.none && wrong.empty())
      return {Tone::care, "verdict",
              "No connection is recorded in this capture, so that recording keeps its budget. The captures before and "
              "after it have requests."};
    std::string text = "No HTTP request was seen";
    if (q.sampling.some()) text += ", where " + sampling_text(q.sampling);
    if (q.connections_encrypted != 0 && q.connections_unread == 0)
      text += ", and " + count_text(q.connections_encrypted, "connection is", "connections are") + " encrypted";
    return {Tone::alarm, "verdict", text + (wrong.empty() ? "." : ": " + joined(wrong) + ".")};
  }
  const std::string requests = requests_text(q);
  const std::string not_read = unrecorded_text(q);
  if (!wrong.empty())
    return {Tone::alarm, "verdict",
            "Read with care: " + joined(wrong) + (not_read.empty() ? "" : "; " + not_read) + ". " + requests +
                (q.tainted == 0 ? "" : "; " + count_text(q.tainted) + " flagged because of it") +
                ". Numbers that this could falsify are refused."};
  const std::string length = q.duration.count() > 0 ? duration_text(q.duration) + ", " : "";
  const std::string read = q.part_read()      ? "Read as far as needed, " + part_read_text(q) + ": "
                           : not_read.empty() ? "Complete: " + length
                                              : length;
  const std::string text = read + requests + "; no events lost" +
                           (q.clock_stepped ? "; the wall clock was set, so times of day are uncertain" : "");
  if (!not_read.empty()) return {Tone::alarm, "verdict", "Not all was read: " + not_read + ". " + text + "."};
  if (q.tainted == 0) return {q.sampling.some() ? Tone::care : Tone::plain, "verdict", text + "."};
  return {Tone::care, "verdict",
          text + "; " + count_text(q.tainted) + " flagged: a detail of " + (q.tainted == 1 ? "it" : "them") +
              " is missing or inferred."};
}

FactLine data_line(const Study& study) {
  const Quality& q = study.quality;
  if (q.requests == 0) return quality_line(study);
  const std::vector<std::string> wrong = troubles(q);
  const std::string not_read = unrecorded_text(q);
  const std::string flagged = q.tainted == 0 ? "" : "; " + count_text(q.tainted, "request", "requests") + " flagged";
  const std::string sampled = q.sampling.some() ? "; " + sampling_text(q.sampling) : "";
  if (!wrong.empty())
    return {Tone::alarm, "data",
            "read with care: " + joined(wrong) + (not_read.empty() ? "" : "; " + not_read) + flagged + sampled};
  if (!not_read.empty()) return {Tone::alarm, "data", "not all was read: " + not_read + flagged + sampled};
  const std::string read = q.part_read() ? "read as far as needed, " + part_read_text(q) : "complete";
  const std::string clock = q.clock_stepped ? "; the wall clock was set: times of day are uncertain" : "";
  const bool care = q.tainted != 0 || q.sampling.some() || q.clock_stepped;
  return {care ? Tone::care : Tone::plain, "data", read + ", no events lost" + flagged + sampled + clock};
}

render::Facts head_facts(const Study& study) {
  render::Facts out{quality_line(study), {}, true};
  if (const std::string unread = unread_tls_text(study); !unread.empty())
    out.lines.push_back({Tone::alarm, "not read", unread});
  const std::string errors = errors_text(study.quality.errors, study.quality.exchanges);
  if (!errors.empty()) out.lines.push_back({Tone::care, "failed", errors + "."});
  return out;
}

}  // namespace tailcap::report
