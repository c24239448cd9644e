#include "analyze/report/words/words.h"

#include "analyze/model/columns/label_times.h"
#include "analyze/model/wire/named_requests.h"
#include "analyze/report/words/call_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "formats/event.h"
#include "formats/machine.h"
#include "ground/well_known_ports.h"

namespace tailcap::report {

std::string_view text_of(model::Taint taint) {
  using enum model::Taint;
  switch (taint) {
    case bytes_lost:
      return "bytes of it are missing from the recording";
    case payload_cut:
      return "bytes needed to understand it were moved but not kept (payload limit, sendfile)";
    case began_before:
      return "it was under way when the recording began";
    case cut_off:
      return "the recording ended while it was under way";
    case arrival_unknown:
      return "its arrival was not seen: it is counted from when it was read";
    case events_lost:
      return "events were lost while it was under way";
    case end_inferred:
      return "its end was worked out from what followed it";
    case clock_step:
      return "the wall clock was set while it was under way: its times of day are uncertain";
    case malformed:
      return "it broke HTTP's rules";
    case conflict:
      return "sources contradict each other";
    case fields_unknown:
      return "some header fields are not known: they refer to ones sent earlier, or were not captured";
    case left_out:
      return "its connection was not recorded to the end: its process is no longer a target, or the share of "
             "connections was made smaller";
  }
  return "unknown flag";
}

std::vector<model::Taint> taints_in(model::Taints taints) {
  std::vector<model::Taint> found;
  for (unsigned bit = 0; bit <= 11; ++bit)
    if (const auto t = static_cast<model::Taint>(1u << bit); model::has(taints, t)) found.push_back(t);
  return found;
}

std::string_view text_of(formats::HookTier tier) {
  switch (tier) {
    case formats::HookTier::a:
      return "tier A, socket tracepoints";
    case formats::HookTier::b:
      return "tier B, exits of socket functions";
    case formats::HookTier::c:
      return "tier C, exits of system calls";
    case formats::HookTier::unknown:
      break;
  }
  return "tier unknown";
}

std::string_view text_of(formats::CaptureState state) {
  switch (state) {
    case formats::CaptureState::complete:
      return "complete";
    case formats::CaptureState::truncated:
      return "cut short: the recorder did not finish it";
    case formats::CaptureState::recovered:
      return "recovered from a damaged or unfinished file";
    case formats::CaptureState::recording:
      return "still being recorded";
  }
  return "unknown state";
}

std::string outcome_text(const model::Request& row) {
  using enum model::Outcome;
  const std::string status = row.status == 0 ? "" : std::to_string(row.status);
  const auto with = [&](std::string_view what) {
    return status.empty() ? std::string(what) : status + ", " + std::string(what);
  };
  // HTTP's 200 says nothing of a call.
  if (row.grpc_status >= 0)
    return status_text(row.grpc_status) + (row.status == 200 || row.status == 0 ? "" : ", HTTP " + status);
  switch (row.outcome) {
    case ok:
    case client_error:
    case server_error:
      if (is_store(row.protocol)) return row.outcome == ok ? "ok" : "error";
      return status.empty() ? "status unknown" : status;
    case upgraded:
      return with("upgraded");
    case truncated:
      return with("truncated");
    case reset:
      return with("reset");
    case no_response:
      return "no response";
    case in_flight:
      return with("unfinished");
    case cancelled:
      return with("cancelled by the client");
    case unknown:
      break;
  }
  return with("outcome unknown");
}

std::string outcome_text(const model::Request& row, std::string_view error_code) {
  if (error_code.empty()) return outcome_text(row);
  return (is_setup(row.protocol) ? "" : "error ") + printable(error_code);
}

namespace {
// A call of a store may have no more than its operation: COMMIT.
std::string titled(std::string_view method, std::string_view path, bool path_known, bool store) {
  if (store && !method.empty() && !path_known) return printable(method);
  if (method.empty() && !path_known) return "(request not seen)";
  return (method.empty() ? std::string("?") : printable(method)) + " " +
         (path_known ? printable(path) : "(path not recorded)");
}
}  // namespace

std::string route_title(const model::RouteStudy& route) {
  const std::string title = titled(route.method, route.route, !route.route.empty(), route.of_store);
  return route.name_shared ? (route.comm.empty() ? "?" : printable(route.comm)) + " " + title : title;
}

std::string request_title(const model::Request& row, const model::TextPool& texts) {
  return titled(texts[row.method], texts[row.path], row.path != 0, has_operation(row.protocol));
}

std::string_view state_text(model::Label label) {
  using model::Label;
  switch (label) {
    case Label::q_accept:
      return "with its connection waiting for accept";
    case Label::down_tls:
      return "in a TLS handshake with another service";
    case Label::down_retx:
      return "in a retransmission to or from another service";
    case Label::send_cwnd:
      return "in congestion on the way to the client";
    case Label::io_throttled:
      return "with its disk I/O throttled";
    case Label::mem_majfault:
      return "in a page fault that reads from disk";
    case Label::go_park:
      return "with its goroutine blocked, reason unknown";
    case Label::go_runnable:
      return "with its goroutine waiting for a thread";
    case Label::sched_throttled:
      return "throttled by a CPU quota";
    case Label::cpu_irq:
      return "in interrupts while on CPU";
    default:
      return model::text_of(label);
  }
}

std::string pid_text(std::uint32_t pid) {
  const formats::Machine machine = formats::machine_of(pid);
  return std::to_string(formats::number_of(pid)) + (machine == 0 ? "" : "@" + std::to_string(machine + 1));
}

std::string group_text(const model::CpuGroup& group) {
  return "cgroup " + printable(group.path) +
         (group.period <= 0
              ? ""
              : ", " + duration_text(Duration{group.quota}) + " of every " + duration_text(Duration{group.period}));
}

std::string place_text(std::string_view name, std::uint64_t address) {
  constexpr std::size_t kLockName = 60;
  return name.empty() ? "at " + address_text(address) : "`" + shortened(printable(name), kLockName) + "`";
}

std::string peer_text(const model::SocketPeer& peer) {
  std::string out = peer.address == "unix:" ? "a UNIX socket without a name" : shortened(printable(peer.address), 60);
  // Who listens there is not known from the number alone.
  if (const auto service = ground::service_of_port(peer.port); !service.empty())
    out += ", " + std::string(service) + "'s port";
  if (!peer.process.empty()) out += ", process " + shortened(printable(peer.process), 40);
  return out;
}

std::string id_text(model::ExchangeId id) { return model::request_number(id); }

namespace {
template <typename Values>
std::size_t greatest(const Values& values) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] > values[best]) best = i;
  return best;
}
}  // namespace

std::string dominant_text(const model::Request& row, model::AccountParts account) {
  if (!row.has_duration || row.duration.count() <= 0) return {};
  const auto share = [&](std::int64_t ns) {
    return duration_text(Duration{ns}) + " (" +
           share_text(static_cast<double>(ns), static_cast<double>(row.duration.count())) + ")";
  };
  std::string text;
  if (row.has_phases) {
    const std::size_t i = greatest(row.phases);
    text = std::string(model::text_of(model::phases_of(row.role)[i])) + " " + share(row.phases[i]);
  }
  const auto labels = model::columns::longest_labels(account);
  if (labels.empty()) return text;
  return text + (text.empty() ? "" : "; ") + std::string(model::text_of(labels[0].first)) + " " +
         share(labels[0].second);
}

std::vector<std::pair<std::string_view, std::string_view>> definitions() {
  return {
      {"duration",
       "incoming requests: from the arrival of the first byte at the socket until the last byte of the response was "
       "handed to the kernel. Outgoing requests: from sending the first byte until the last byte of the response was "
       "read."},
      {"first byte", "from the same start to the first byte of the final response"},
      {"interval",
       "95 % confidence, within this recording: requests that follow each other resemble each other, so the number "
       "that counts is smaller than the number of requests. It does not predict another run."},
      {"≥", "lower bound: too few requests are slower for an upper one"},
      {"~", "rough estimate: fewer than ten independent requests are slower; do not compare it"},
      {"refused", "the recording cannot support a number here; the note says why"},
      {"incomplete", "the request or its response lacks its beginning or its end; not in the percentiles"},
      {"flagged", "something about the request is missing or inferred; `tailcap show` says what"},
      {"bytes", "bodies after transfer decoding, content coding kept"},
      {"waits known", "requests of which every nanosecond has a label: what it waited for, or that it was on a CPU"},
  };
}

}  // namespace tailcap::report
