#include "analyze/model/request.h"

#include <algorithm>

namespace tailcap::model {

std::string_view name_of(AttemptEvidence how) {
  constexpr std::string_view names[] = {"none", "grpc header", "inferred: refused", "inferred: unanswered"};
  return names[static_cast<std::size_t>(how)];
}

std::vector<std::string_view> names_of_filled(std::uint8_t from_peer) {
  constexpr std::string_view names[] = {"method",      "path",         "authority", "status",
                                        "grpc_status", "x_request_id", "trace_id"};
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < std::size(names); ++i)
    if (from_peer & (1u << i)) out.push_back(names[i]);
  return out;
}

std::string_view name_of(Role role) { return role == Role::server ? "server" : "client"; }

std::string_view name_of(Protocol protocol) {
  constexpr std::string_view names[] = {"unknown", "http/1.0",   "http/1.1", "http/2",    "grpc", "grpc-web",
                                        "redis",   "postgresql", "mysql",    "memcached", "nats", "kafka",
                                        "amqp",    "tcp",        "tls",      "dns"};
  return names[static_cast<std::size_t>(protocol)];
}

bool broke_off(Outcome outcome, Taints taints, bool has_duration) {
  if (has_duration || has(taints, Taint::cut_off) || has(taints, Taint::began_before)) return false;
  return outcome == Outcome::truncated || outcome == Outcome::reset || outcome == Outcome::no_response ||
         outcome == Outcome::cancelled;
}

bool broke_off(const Request& row) { return broke_off(row.outcome, row.taints, row.has_duration); }

bool failed(const Request& row) { return row.outcome == Outcome::server_error || broke_off(row); }

bool is_call(Protocol protocol) { return protocol == Protocol::grpc || protocol == Protocol::grpc_web; }
bool is_call(const Request& row) { return is_call(row.protocol); }

GrpcDeadline deadline_of(const Request& row) {
  constexpr std::int64_t kSlack = 2'000'000, kRounding = 50;  // ns; a fiftieth of the timeout
  constexpr int kDeadlineExceeded = 4;
  if (!is_call(row) || row.grpc.timeout < 0) return GrpcDeadline::none;
  const std::int64_t timeout = row.grpc.timeout;
  if (row.grpc_status == kDeadlineExceeded) return GrpcDeadline::missed;
  if (row.has_duration) return row.duration.count() > timeout ? GrpcDeadline::missed : GrpcDeadline::met;
  if (row.reset_after < 0) return GrpcDeadline::unknown;
  if (row.reset_after > timeout) return GrpcDeadline::missed;
  const bool at_deadline =
      row.outcome == Outcome::cancelled && row.reset_after >= timeout - kSlack - timeout / kRounding;
  return at_deadline ? GrpcDeadline::missed : GrpcDeadline::abandoned;
}

std::string_view name_of(GrpcDeadline deadline) {
  constexpr std::string_view names[] = {"", "met", "missed", "abandoned", "unknown"};
  return names[static_cast<std::size_t>(deadline)];
}

std::string_view name_of(Outcome outcome) {
  constexpr std::string_view names[] = {"ok",    "client_error", "server_error", "upgraded", "truncated",
                                        "reset", "no_response",  "in_flight",    "unknown",  "cancelled"};
  return names[static_cast<std::size_t>(outcome)];
}

namespace {
constexpr std::string_view kTaints[] = {"bytes_lost",      "payload_cut", "began_before",   "cut_off",
                                        "arrival_unknown", "events_lost", "end_inferred",   "clock_step",
                                        "malformed",       "conflict",    "fields_unknown", "left_out"};
}

std::string_view name_of(Taint taint) {
  for (std::size_t i = 0; i < std::size(kTaints); ++i)
    if (static_cast<Taints>(taint) == 1u << i) return kTaints[i];
  return "unknown";
}

std::vector<std::string_view> names_of(Taints taints) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < std::size(kTaints); ++i)
    if (taints & (1u << i)) names.push_back(kTaints[i]);
  return names;
}

TextId RequestTable::own_name(const Request& row) const {
  const auto at = std::lower_bound(own_names.begin(), own_names.end(), std::pair{row.id, TextId{0}});
  return at != own_names.end() && at->first == row.id ? at->second : row.comm;
}

std::uint32_t RequestTable::life(std::size_t row, std::uint32_t pid) const {
  if (!processes.changed(pid)) return 0;
  // Its process is alive at its end; it may have begun after the request arrived.
  return processes.life_at(pid, rows.has_duration(row) ? rows.start(row) + rows.duration(row) : rows.start(row));
}

}  // namespace tailcap::model
