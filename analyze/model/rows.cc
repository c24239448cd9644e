#include "analyze/model/rows.h"

#include <bit>

#include "analyze/model/packed/numbers.h"
#include "analyze/model/request.h"

namespace tailcap::model {

using packed::get, packed::get_signed, packed::put, packed::put_signed, packed::skip, packed::unzigzag, packed::zigzag;

namespace {

constexpr std::size_t kGrpc = 6;             // numbers of a call
constexpr std::size_t kStore = 3;            // of a call of a store, which has none of those
constexpr std::size_t kMaxGrpc = kGrpc + 1;  // and of a reset
// 16 numbers, two masks, phases, and a dozen of what is rare.
constexpr std::size_t kMaxPacked = packed::kMostBytes * (18 + 6 + 14 + kMaxGrpc);

// What of the rare there is.
constexpr std::uint64_t kRequestHeld = 1, kResponseHeld = 2, kBehind = 4, kLimit = 8, kPushed = 16, kAttempt = 32,
                        kFromPeer = 64, kTraceFormat = 128, kAtLeast = 256;

// A mask of those that are not 0, and those.
template <std::size_t N>
void put_all(std::uint8_t*& at, const std::array<std::int64_t, N>& values) {
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < N; ++i) mask |= std::uint64_t{values[i] != 0} << i;
  put(at, mask);
  for (; mask != 0; mask &= mask - 1)
    put(at, static_cast<std::uint64_t>(values[static_cast<std::size_t>(std::countr_zero(mask))]));
}

template <std::size_t N>
void get_all(const std::uint8_t*& at, std::array<std::int64_t, N>& values) {
  values.fill(0);
  for (std::uint64_t mask = get(at); mask != 0; mask &= mask - 1)
    values[static_cast<std::size_t>(std::countr_zero(mask))] = static_cast<std::int64_t>(get(at));
}

// The one that is not written down.
TraceFormat usual_format(const Request& r) { return r.traceparent == 0 ? TraceFormat::none : TraceFormat::traceparent; }

std::uint64_t rare_of(const Request& r) {
  const bool both = r.request_flow_control >= 0 && r.response_flow_control >= 0;
  return (r.request_flow_control > 0 || (r.request_flow_control == 0 && !both) ? kRequestHeld : 0) |
         (r.response_flow_control > 0 || (r.response_flow_control == 0 && !both) ? kResponseHeld : 0) |
         (r.behind_others != 0 || r.behind_others_bytes != 0 ? kBehind : 0) | (r.stream_limit >= 0 ? kLimit : 0) |
         (r.pushed ? kPushed : 0) | (r.attempt != 0 ? kAttempt : 0) | (r.from_peer != 0 ? kFromPeer : 0) |
         (r.trace_format != usual_format(r) ? kTraceFormat : 0) | (r.at_least >= 0 ? kAtLeast : 0);
}

void put_rare(std::uint8_t*& at, const Request& r, std::uint64_t rare) {
  put(at, rare);
  if (rare & kRequestHeld) put_signed(at, r.request_flow_control);
  if (rare & kResponseHeld) put_signed(at, r.response_flow_control);
  if (rare & kBehind) {
    put_signed(at, r.behind_others);
    put_signed(at, r.behind_others_bytes);
  }
  if (rare & kLimit) put_signed(at, r.stream_limit);
  if (rare & kAttempt) {
    put(at, r.attempt);
    put(at, static_cast<std::uint64_t>(r.attempt_how));
    put(at, r.attempt_of.connection);
    put(at, r.attempt_of.index);
  }
  if (rare & kFromPeer) put(at, r.from_peer);
  if (rare & kTraceFormat) put(at, static_cast<std::uint64_t>(r.trace_format));
  if (rare & kAtLeast) put_signed(at, r.at_least);
}

void get_rare(const std::uint8_t*& at, Request& r) {
  const std::uint64_t rare = get(at);
  if (rare & kRequestHeld) r.request_flow_control = get_signed(at);
  if (rare & kResponseHeld) r.response_flow_control = get_signed(at);
  if (rare & kBehind) {
    r.behind_others = get_signed(at);
    r.behind_others_bytes = get_signed(at);
  }
  if (rare & kLimit) r.stream_limit = get_signed(at);
  r.pushed = (rare & kPushed) != 0;
  if (rare & kAttempt) {
    r.attempt = static_cast<std::uint32_t>(get(at));
    r.attempt_how = static_cast<AttemptEvidence>(get(at));
    r.attempt_of.connection = static_cast<ConnectionId>(get(at));
    r.attempt_of.index = static_cast<std::uint32_t>(get(at));
  }
  if (rare & kFromPeer) r.from_peer = static_cast<std::uint8_t>(get(at));
  if (rare & kTraceFormat) r.trace_format = static_cast<TraceFormat>(get(at));
  if (rare & kAtLeast) r.at_least = get_signed(at);
}

bool has_reset(Outcome outcome) { return outcome == Outcome::cancelled || outcome == Outcome::reset; }

void put_grpc(std::uint8_t*& at, const Request& r) {
  put_signed(at, r.grpc_status);
  put_signed(at, r.grpc.timeout);
  put_signed(at, r.grpc.request_messages);
  put_signed(at, r.grpc.response_messages);
  put(at, r.grpc.message);
  put(at, static_cast<std::uint64_t>(r.grpc.exact) | static_cast<std::uint64_t>(r.grpc.context) << 1);
}

void get_grpc(const std::uint8_t*& at, Request& r) {
  r.grpc_status = static_cast<std::int32_t>(get_signed(at));
  r.grpc.timeout = get_signed(at);
  r.grpc.request_messages = get_signed(at);
  r.grpc.response_messages = get_signed(at);
  r.grpc.message = static_cast<TextId>(get(at));
  const std::uint64_t bits = get(at);
  r.grpc.exact = (bits & 1) != 0;
  r.grpc.context = static_cast<GrpcContext>(bits >> 1);
}

void put_store(std::uint8_t*& at, const Request& r) {
  put(at, r.store.error_code);
  put_signed(at, r.store.rows);
  put(at, r.store.waits);
}

void get_store(const std::uint8_t*& at, Request& r) {
  r.store.error_code = static_cast<TextId>(get(at));
  r.store.rows = get_signed(at);
  r.store.waits = get(at) != 0;
}

}  // namespace

std::uint32_t Rows::pack(const Request& r, std::uint64_t rare) {
  std::array<std::uint8_t, kMaxPacked> bytes;
  std::uint8_t* at = bytes.data();
  for (const TextId id : {r.method, r.path, r.authority, r.comm}) put(at, id);
  put(at, r.pid);
  put_signed(at, r.first_byte.count());
  put_signed(at, r.request_bytes);
  put_signed(at, r.response_bytes);
  put(at, r.request_id);
  put(at, r.traceparent);
  put(at, zigzag(std::int64_t{r.tid} - std::int64_t{r.pid}));  // mostly near it
  put(at, r.stream);
  if (has_reset(r.outcome)) put_signed(at, r.reset_after);
  if (is_call(r)) put_grpc(at, r);
  if (has_operation(r.protocol)) put_store(at, r);
  if (r.has_phases) put_all(at, r.phases);
  if (rare != 0) put_rare(at, r, rare);
  return bytes_.add({bytes.data(), at});
}

Request Rows::operator[](std::size_t i) const {
  const Fixed& f = fixed(i);
  const std::uint8_t* at = packed(f);
  Request r;
  r.id = f.id;
  r.peer = peer(i);
  r.start = f.start;
  r.has_duration = f.duration >= 0;
  r.duration = Duration{r.has_duration ? f.duration : 0};
  r.route = f.route;
  r.taints = f.taints;
  r.status = f.status;
  r.role = role(i);
  r.complete = complete(i);
  r.tls = (f.bits & kTls) != 0;
  r.has_phases = has_phases(i);
  r.outcome = outcome(i);
  r.protocol = protocol(i);
  for (TextId* id : {&r.method, &r.path, &r.authority, &r.comm}) *id = static_cast<TextId>(get(at));
  r.pid = static_cast<std::uint32_t>(get(at));
  r.first_byte = Duration{get_signed(at)};
  r.request_bytes = get_signed(at);
  r.response_bytes = get_signed(at);
  r.request_id = static_cast<TextId>(get(at));
  r.traceparent = static_cast<TextId>(get(at));
  r.tid = static_cast<std::uint32_t>(r.pid + unzigzag(get(at)));
  r.stream = static_cast<std::uint32_t>(get(at));
  if (has_reset(r.outcome)) r.reset_after = get_signed(at);
  if (is_call(r)) get_grpc(at, r);
  if (has_operation(r.protocol)) get_store(at, r);
  if (r.has_phases) get_all(at, r.phases);
  if (f.bits & kWindowsKnown) r.request_flow_control = r.response_flow_control = 0;
  r.trace_format = usual_format(r);
  if (f.bits & kRare) get_rare(at, r);
  return r;
}

RowNames Rows::names(std::size_t i) const {
  const std::uint8_t* at = packed(fixed(i));
  RowNames out;
  for (TextId* id : {&out.method, &out.path, &out.authority, &out.comm}) *id = static_cast<TextId>(get(at));
  out.pid = static_cast<std::uint32_t>(get(at));
  return out;
}

RowBytes Rows::bytes(std::size_t i) const {
  const std::uint8_t* at = packed(fixed(i));
  skip(at, 6);  // names, the process, the first byte
  RowBytes out;
  out.request = get_signed(at);
  out.response = get_signed(at);
  return out;
}

RowWork Rows::work(std::size_t i) const {
  const std::uint8_t* at = packed(fixed(i));
  RowWork out;
  skip(at, 4);  // names
  out.pid = static_cast<std::uint32_t>(get(at));
  skip(at, 5);  // first byte, sizes, identifiers
  out.tid = static_cast<std::uint32_t>(out.pid + unzigzag(get(at)));
  out.stream = static_cast<std::uint32_t>(get(at));
  if (!has_phases(i)) return out;
  if (has_reset(outcome(i))) skip(at, 1);
  if (is_call(protocol(i))) skip(at, kGrpc);
  if (has_operation(protocol(i))) skip(at, kStore);
  get_all(at, out.phases);
  return out;
}

Request Rows::back() const { return (*this)[size_ - 1]; }
Request Rows::Iterator::operator*() const { return (*rows_)[i_]; }

void Rows::push_back(const Request& row) {
  if (size_ == chunks_.size() * kChunk) {
    chunks_.push_back(std::make_unique_for_overwrite<Fixed[]>(kChunk));
    peers_.emplace_back();
  }
  ++size_;
  set(size_ - 1, row);
}

void Rows::set(std::size_t i, const Request& row) {
  const bool windows_known = row.request_flow_control >= 0 && row.response_flow_control >= 0;
  const std::uint64_t rare = rare_of(row);
  assert(static_cast<unsigned>(row.protocol) <= kProtocol && static_cast<unsigned>(row.outcome) <= kOutcome);
  const unsigned bits = static_cast<unsigned>(row.role) | (row.complete ? kComplete : 0u) |
                        (row.has_phases ? kPhases : 0u) | static_cast<unsigned>(row.outcome) << kOutcomeAt |
                        static_cast<unsigned>(row.protocol) << kProtocolAt | (windows_known ? kWindowsKnown : 0u) |
                        (rare != 0 ? kRare : 0u) | (row.tls ? kTls : 0u);
  fixed(i) = {row.start,
              row.has_duration ? row.duration.count() : -1,
              row.id,
              pack(row, rare),
              row.route,
              row.taints,
              static_cast<std::uint16_t>(bits),
              row.status};
  set_peer(i, row.peer);
}

void Rows::set_peer(std::size_t i, ExchangeId peer) {
  assert(i < size_);
  std::unique_ptr<ExchangeId[]>& chunk = peers_[i / kChunk];
  if (!chunk && peer == ExchangeId{}) return;
  if (!chunk) chunk = std::make_unique<ExchangeId[]>(kChunk);
  chunk[i % kChunk] = peer;
}

void Rows::move(std::size_t from, std::size_t to) {
  fixed(to) = fixed(from);
  set_peer(to, peer(from));
}

void Rows::permute(const std::vector<std::uint32_t>& from) {
  assert(from.size() == size_);
  // Cycle by cycle, in place.
  std::vector<bool> placed(size_);
  for (std::uint32_t first = 0; first < size_; ++first) {
    if (placed[first]) continue;
    const Fixed saved = fixed(first);
    const ExchangeId saved_peer = peer(first);
    std::uint32_t to = first;
    for (; from[to] != first; to = from[to]) {
      move(from[to], to);
      placed[to] = true;
    }
    fixed(to) = saved;
    set_peer(to, saved_peer);
    placed[to] = true;
  }
}

void Rows::keep(const std::vector<std::uint32_t>& rows) {
  for (std::size_t n = 0; n < rows.size(); ++n) {
    assert(rows[n] >= n);
    if (rows[n] != n) move(rows[n], n);
  }
  size_ = rows.size();
  chunks_.resize((size_ + kChunk - 1) / kChunk);
  peers_.resize(chunks_.size());
}

Rows Rows::only(const std::vector<std::uint32_t>& rows) const {
  Rows out;
  for (const std::uint32_t i : rows) out.push_back((*this)[i]);
  return out;
}

}  // namespace tailcap::model
