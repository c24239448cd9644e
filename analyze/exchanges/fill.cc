#include "analyze/exchanges/fill.h"

#include <string_view>

namespace tailcap::exchanges {

using formats::known;

namespace {

// Host of an absolute-form target (RFC 9112, 3.2.2), which overrides the Host field.
std::string_view authority_of(std::string_view target) {
  const auto scheme = target.find("://");
  if (scheme == target.npos || scheme == 0 || target.front() == '/') return {};
  target.remove_prefix(scheme + 3);
  return target.substr(0, target.find_first_of("/?#"));
}

}  // namespace

void copy_request(const model::Message& m, model::Exchange& e) {
  e.method = m.method;
  e.target = m.target;
  if (e.protocol != model::Protocol::grpc) e.protocol = m.protocol;
  e.request_grpc = m.grpc;
  e.stream = has_numbers(m.protocol) ? 0 : m.stream;
  e.request_headers = m.headers;
  e.request_trailers = m.trailers;
  e.request_headers_complete = m.headers_complete;
  e.request_bytes = m.body_bytes;
  e.request = m.instants;
  e.seen_from = m.seen_from;
  e.request_head_done = m.head_done;
  e.request_body_arrived = m.body_arrived;
  e.expects_continue = m.expects_continue;
  e.request_begin = m.begin;
  e.taints |= m.taints;
  if (is_store(m.protocol)) {
    if (m.store) {
      if (!e.store) e.store.emplace();
      e.store->waits = m.store->waits;
      e.store->message = m.store->message;
      if (m.store->stored != 0) e.store->stored = m.store->stored;
      if (m.store->stored_at != 0) e.store->stored_at = m.store->stored_at;
    }
    return;
  }
  if (const auto host = authority_of(m.target); !host.empty())
    e.authority = host;
  else if (m.method == "CONNECT")
    e.authority = m.target;
  else if (const auto field = m.headers.find("host"))
    e.authority = *field;
  if (m.stream == 0) return;
  if (const auto field = m.headers.find(":authority")) e.authority = *field;
  e.request_window_waits = m.window_waits;
  e.request_behind_others = m.behind_others;
  e.stream_limit = m.stream_limit;
  e.pushed = m.pushed;
  e.unknown_fields += m.unknown_fields;
  if (m.reset) e.reset = m.reset;
}

void copy_response(const model::Message& m, model::Exchange& e) {
  e.status = m.status;
  if (e.protocol == model::Protocol::unknown) e.protocol = m.protocol;
  e.response_headers = m.headers;
  e.response_trailers = m.trailers;
  e.response_headers_complete = m.headers_complete;
  e.response_bytes = m.body_bytes;
  e.response = m.instants;
  e.broken_at = m.closed_at;
  if (m.answers_unknown && known(m.seen_from)) e.seen_from = m.seen_from;
  e.taints |= m.taints;
  e.response_grpc = m.grpc;
  if (m.store) {
    const model::StoreFacts asked = e.store.value_or(model::StoreFacts{});
    e.store = m.store;
    e.store->waits = asked.waits;
    e.store->message = asked.message;
    if (asked.stored != 0) e.store->stored = asked.stored;
    e.store->stored_at = asked.stored_at;
  }
  if (m.stream == 0 || is_store(m.protocol)) return;
  // The request of an upgraded connection was written in HTTP/1; what answers a call need not know that it is one.
  if (e.protocol != model::Protocol::grpc) e.protocol = m.protocol;
  e.stream = m.stream;
  e.response_window_waits = m.window_waits;
  e.response_behind_others = m.behind_others;
  e.unknown_fields += m.unknown_fields;
  if (m.reset) e.reset = m.reset;
}

}  // namespace tailcap::exchanges
