#include "analyze/causes/parents/from_peer.h"

#include <algorithm>
#include <utility>

#include "ground/memory.h"

namespace tailcap::causes {

using model::FromPeer;
using model::Outcome;
using model::Request;
using model::Taint;

namespace {

template <class T>
void fill(T& mine, const T& theirs, T unknown, FromPeer bit, std::uint8_t& filled) {
  if (mine != unknown || theirs == unknown) return;
  mine = theirs;
  filled = static_cast<std::uint8_t>(filled | static_cast<std::uint8_t>(bit));
}

void fill(Request& row, const Request& peer) {
  std::uint8_t& filled = row.from_peer;
  const model::TextId absent = 0;
  fill(row.method, peer.method, absent, FromPeer::method, filled);
  fill(row.path, peer.path, absent, FromPeer::path, filled);
  fill(row.authority, peer.authority, absent, FromPeer::authority, filled);
  fill(row.request_id, peer.request_id, absent, FromPeer::request_id, filled);
  if (row.traceparent == 0 && peer.traceparent != 0 && row.trace_format == model::TraceFormat::none)
    row.trace_format = peer.trace_format;
  if (row.trace_format == peer.trace_format)
    fill(row.traceparent, peer.traceparent, absent, FromPeer::traceparent, filled);
  fill(row.status, peer.status, std::uint16_t{0}, FromPeer::status, filled);
  // A status that the server sent while the client cancelled was never the client's.
  if (row.outcome != Outcome::cancelled) fill(row.grpc_status, peer.grpc_status, -1, FromPeer::grpc_status, filled);
  // All of both messages was seen here too, but for what they meant.
  const bool whole = row.has_duration && peer.complete && row.request_bytes >= 0 &&
                     row.request_bytes == peer.request_bytes && row.response_bytes >= 0 &&
                     row.response_bytes == peer.response_bytes && !model::has(row.taints, Taint::bytes_lost);
  if (filled == 0) return;
  // The server has sent everything that the client has read to its end.
  if (row.outcome == Outcome::unknown && (whole || (row.role == model::Role::server && peer.complete)))
    row.outcome = peer.outcome;
  if (!whole) return;
  if (row.protocol != peer.protocol) row.protocol = peer.protocol;
  row.complete = true;
}

}  // namespace

void FieldsFromPeer::push(const model::Exchange& e) {
  if (e.stream != 0 && e.unknown_fields > 0) unknown_.push_back(e.id);
}

void FieldsFromPeer::settle(model::RequestTable& table) {
  if (unknown_.empty()) return;
  std::sort(unknown_.begin(), unknown_.end());
  auto& rows = table.rows;
  std::vector<std::pair<model::ExchangeId, std::size_t>> wanted;  // the peer, and the row it is for
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows.peer(i).connection != 0 && std::binary_search(unknown_.begin(), unknown_.end(), rows.id(i)))
      wanted.emplace_back(rows.peer(i), i);
  std::sort(wanted.begin(), wanted.end());
  for (std::size_t i = 0; i < rows.size() && !wanted.empty(); ++i) {
    const auto at = std::lower_bound(wanted.begin(), wanted.end(), std::pair{rows.id(i), std::size_t{0}});
    if (at == wanted.end() || at->first != rows.id(i)) continue;
    Request row = rows[at->second];
    const Request peer = rows[i];
    if (row.stream != peer.stream || row.peer != peer.id || peer.peer != row.id) continue;
    fill(row, peer);
    if (row.from_peer != 0) rows.set(at->second, row);
  }
  ground::release(unknown_);
}

}  // namespace tailcap::causes
