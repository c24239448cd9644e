// The request table: one row per exchange, kept until the end of the analysis.
//
// Strings are interned (route, method, comm: few; path: as many as there are). Durations are nanoseconds.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/cause.h"
#include "analyze/model/chain.h"
#include "analyze/model/crowd.h"
#include "analyze/model/handlers.h"
#include "analyze/model/header_sets.h"
#include "analyze/model/machine/cpu_account.h"
#include "analyze/model/machine/processes.h"
#include "analyze/model/occurrences.h"
#include "analyze/model/partition.h"
#include "analyze/model/phase.h"
#include "analyze/model/rows.h"
#include "analyze/model/setup.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/connection_use.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/trace_context.h"

namespace tailcap::model {

std::string_view name_of(Role role);          // "server", "client"
std::string_view name_of(Protocol protocol);  // "http/1.1", …
std::string_view name_of(Outcome outcome);    // "ok", "client_error", …
std::string_view name_of(Taint taint);        // "bytes_lost", …
std::vector<std::string_view> names_of(Taints taints);

// How it is known that a request repeats another.
enum class AttemptEvidence : std::uint8_t {
  none = 0,
  grpc_header = 1,  // grpc-previous-rpc-attempts: certain
  refused = 2,      // inferred: the same request was refused unprocessed (REFUSED_STREAM, GOAWAY) right before
  unanswered = 3,   // inferred: the same request had no answer, on a connection that had been idle
};
std::string_view name_of(AttemptEvidence how);  // "grpc header", "inferred: refused", …

// Fields that were not known here (header compression) and were taken from the other end's row. Bits.
enum class FromPeer : std::uint8_t {
  method = 1,
  path = 2,
  authority = 4,
  status = 8,
  grpc_status = 16,
  request_id = 32,
  traceparent = 64
};
std::vector<std::string_view> names_of_filled(std::uint8_t from_peer);  // "method", …

// The gRPC facts of a row; protocol grpc and grpc_web.
struct GrpcCall {
  std::int64_t timeout = -1;                                   // ns, as the client sent it; -1: none, or not seen
  std::int64_t request_messages = -1, response_messages = -1;  // whole ones; -1: unknown
  bool exact = true;                                           // false: they are lower bounds
  GrpcContext context = GrpcContext::unknown;
  TextId message = 0;  // grpc-message, decoded
  bool operator==(const GrpcCall&) const = default;
};

// Whether a call met its deadline: its first byte plus the timeout that the client sent.
enum class GrpcDeadline : std::uint8_t {
  none,       // no timeout was sent
  met,        // it ended by the deadline
  missed,     // it ended later, or the server answered DEADLINE_EXCEEDED, or the client cancelled it at that time
  abandoned,  // the client cancelled it, or it was reset, before the deadline
  unknown,
};

// What the row of a request to a store says.
struct StoreCall {
  TextId error_code = 0;
  std::int64_t rows = -1;  // -1: not said
  bool waits = false;      // it asked to wait for something
  bool operator==(const StoreCall&) const = default;
};

struct Request {
  ExchangeId id;
  ExchangeId peer;  // the same exchange at the other end; connection 0: not recorded or not found
  Time start = kNoTime;
  Duration duration{};  // meaningful where has_duration
  std::int64_t at_least =
      -1;                 // lower bound of the duration, ns, where the beginning was not seen or it broke off; -1: none
  Duration first_byte{};  // from start to the first byte of the final response; negative: unknown
  std::int64_t request_bytes = -1, response_bytes = -1;  // bodies; -1: unknown
  TextId method = 0, path = 0, route = 0, authority = 0, request_id = 0;
  TextId comm = 0;         // the name of its process's service: what most of the requests of this process have
  TextId traceparent = 0;  // trace id and span id: TraceContext::text(); 0: none
  std::uint32_t pid = 0, tid = 0;
  std::uint32_t stream = 0;
  Taints taints = 0;
  std::uint16_t status = 0;
  std::int32_t grpc_status = -1;  // protocol grpc; -1: none or not seen
  Role role = Role::server;
  Protocol protocol = Protocol::unknown;
  Outcome outcome = Outcome::unknown;
  bool tls = false;  // read and written through a TLS library, as plaintext
  bool complete = false;
  bool has_duration = false;  // first and last byte are both known
  bool has_phases = false;    // every milestone between them, too
  std::array<std::int64_t, 6>
      phases{};  // ns, in the order of phases_of(role); sum == duration where has_phases, else 0
  // HTTP/2: rare, and packed only where set.
  std::int64_t request_flow_control =
      -1;  // ns that the request's sender waited for its receiver's window; -1: not known
  std::int64_t response_flow_control = -1;  // and the response's
  std::int64_t behind_others = 0;           // ns, at most: behind other streams' bytes (model::BehindOthers)
  std::int64_t behind_others_bytes = 0;
  std::int64_t stream_limit = -1;  // ns before the start, at most (model::StreamLimit); -1: not opened at the limit
  bool pushed = false;
  // One call made several times.
  std::uint32_t attempt = 0;  // from 1; 0: no other attempts are known
  ExchangeId attempt_of;      // the first attempt; connection 0: this is it, or it was not found
  AttemptEvidence attempt_how = AttemptEvidence::none;
  std::uint8_t from_peer = 0;                    // bits of FromPeer
  TraceFormat trace_format = TraceFormat::none;  // what traceparent was read from; conflicting: it is 0
  // Not kept in Rows; found in RequestTable::setups.
  const Setup* setup = nullptr;
  const Cause* cause = nullptr;         // and this from RequestTable::causes
  TextId handler = 0;                   // and this from RequestTable::handlers
  const Partitions* account = nullptr;  // where the time went by label: RequestTable::partitions
  std::int64_t reset_after = -1;  // outcome cancelled, reset: ns from start until the stream was reset; -1: not seen
  GrpcCall grpc;
  StoreCall store;
  bool operator==(const Request&) const = default;
};

// It broke off: it has an end, but no complete response.
bool broke_off(const Request& row);
bool broke_off(Outcome outcome, Taints taints, bool has_duration);
// The service failed (5xx), or it broke off.
bool failed(const Request& row);
bool is_call(Protocol protocol);  // gRPC's, in any form
bool is_call(const Request& row);
// A client's timer starts before its first byte is sent, and libraries round the timeout that they send up to two or
// three digits: a call cancelled this close before the deadline missed it.
GrpcDeadline deadline_of(const Request& row);
std::string_view name_of(GrpcDeadline deadline);  // "met", …; empty for none

using ConnectionUses = BesideRequests<ConnectionUse>;

struct RequestTable {
  Rows rows;    // at the end sorted by (start, id)
  Rows before;  // where some of them were selected: all, since what explains one may not be selected. Empty: rows are
                // all
  const Rows& all() const { return before.empty() ? rows : before; }
  TextPool texts;
  Setups setups;  // of the requests that were the first on their connection
  Causes causes;  // of client-side requests
  Handlers handlers;
  HandlerGoroutines handler_goroutines;
  ConnectionUses uses;          // of requests that failed
  HeaderSets headers;           // where a study was asked for
  std::vector<TextId> remotes;  // endpoints, by ConnectionId; 0: not known
  Partitions partitions;        // of requests with a duration
  Partitions unfinished;        // of the last kUnfinishedShown of requests that had no answer when the recording ended
  Chains chains;                // of the slow requests of each route
  RequestOccurrences occurrences;  // of requests with a duration, where they were asked for
  Crowd crowd;                     // known where there are partitions
  CpuAccount cpus;                 // of the machine; likewise
  // What made-up ids are made of (trace_identity.h): the capture's own id; that of the machine's boot, 0: not known.
  std::uint64_t salt = 0, machine_salt = 0;
  // Cookies, by ConnectionId, of clients' connections that were recorded from the first byte to the last; 0: another.
  std::vector<SocketId> whole_calls;
  Processes processes;
  // Requests in whose time their process had another name than in most of its requests' times; with that name, sorted.
  std::vector<std::pair<ExchangeId, TextId>> own_names;

  // The name of its process in its time.
  TextId own_name(const Request& row) const;
  // Its process among those that had the same number (Processes::life_at).
  std::uint32_t life(std::size_t row, std::uint32_t pid) const;
};

}  // namespace tailcap::model
