#include "analyze/exchanges/outcome.h"

#include <algorithm>

namespace tailcap::exchanges {

using formats::known;
using model::End;
using model::Ending;
using model::Outcome;
using model::Role;
using model::Taint;

namespace {

Outcome by_status(int status) {
  if (status == 0) return Outcome::unknown;
  return status < 400 ? Outcome::ok : status < 500 ? Outcome::client_error : Outcome::server_error;
}

// The outcome of an answered call is its grpc-status; HTTP's 200 is no evidence. Client or server error follows from
// the mapping of gRPC's codes to HTTP's that gRPC gateways use.
Outcome by_grpc_status(int status) {
  switch (status) {
    case 0:
      return Outcome::ok;
    case 1:   // CANCELLED
    case 3:   // INVALID_ARGUMENT
    case 5:   // NOT_FOUND
    case 6:   // ALREADY_EXISTS
    case 7:   // PERMISSION_DENIED
    case 8:   // RESOURCE_EXHAUSTED
    case 9:   // FAILED_PRECONDITION
    case 10:  // ABORTED
    case 11:  // OUT_OF_RANGE
    case 16:  // UNAUTHENTICATED
      return Outcome::client_error;
    default:
      return Outcome::server_error;
  }
}

// The client broke the stream off with CANCEL. By the other end, or with another code, it is an ordinary reset.
bool cancelled(const model::Exchange& e) {
  constexpr std::uint32_t kCancel = 8;  // RFC 9113, section 7
  const model::Direction asking = e.role == Role::client ? model::Direction::out : model::Direction::in;
  return e.reset && !e.reset->goaway && e.reset->code == kCancel && e.reset->by == asking;
}

Outcome unanswered(const ExchangeDraft& d) {
  // The response may have been among lost or misunderstood bytes.
  if (has(d.end_taints, Taint::left_out) || has(d.end_taints, Taint::bytes_lost) ||
      has(d.end_taints, Taint::events_lost) || has(d.end_taints, Taint::payload_cut) ||
      has(d.end_taints, Taint::malformed))
    return Outcome::unknown;
  switch (d.broken_by) {
    case End::reset:
      return Outcome::reset;
    case End::fin:
    case End::error:
      return Outcome::no_response;
    case End::capture:
      return Outcome::in_flight;
    case End::none:
      break;
  }
  return Outcome::unknown;
}

Outcome of_store(const ExchangeDraft& d) {
  const auto& store = d.exchange->store;
  if (!store || d.response_ending != Ending::complete) return Outcome::unknown;
  return !store->failed ? Outcome::ok : store->by_server ? Outcome::server_error : Outcome::client_error;
}

}  // namespace

void settle_unanswered(ExchangeDraft& d, const model::Message& m) {
  d.answered = true;
  model::Exchange& e = *d.exchange;
  const model::Time end = m.instants.last_done;
  const bool client = e.role == Role::client;
  e.response = {client ? end : model::kNoTime, client ? end : model::kNoTime, end, end};
  e.response_headers_complete = true;
  e.response_bytes = 0;
  (client ? e.reader : e.writer) = m.last_thread;
}

bool upgraded(const model::Exchange& e) {
  return e.status == 101 || (e.method == "CONNECT" && e.status >= 200 && e.status < 300);
}

void settle_outcome(ExchangeDraft& d) {
  model::Exchange& e = *d.exchange;
  // A request that a server answers early, or refuses without reading, consists of the bytes that were sent.
  const bool answered_early = d.request_ending == Ending::truncated && d.response_ending == Ending::complete &&
                              e.request_headers_complete && e.request_bytes.has_value() &&
                              !has(e.taints, Taint::events_lost);
  const bool refused = e.reset && e.reset->unprocessed && d.response_ending == Ending::truncated && e.status == 0;
  e.complete =
      d.asked && d.answered &&
      (refused ||
       ((e.status != 0 || is_store(e.protocol)) &&
        (answered_early || (d.request_ending == Ending::complete && d.response_ending == Ending::complete)))) &&
      !known(e.seen_from) && !has(e.taints, Taint::bytes_lost);
  if (!d.asked) {
    e.outcome = Outcome::unknown;
  } else if (!d.answered) {
    e.outcome = unanswered(d);
    e.taints |= d.end_taints;
    if (d.broken_by == End::capture) e.taints = e.taints | Taint::cut_off;
  } else if (d.response_ending == Ending::truncated) {
    e.outcome = cancelled(e) ? Outcome::cancelled : d.broken_by == End::reset ? Outcome::reset : Outcome::truncated;
  } else if (d.response_ending == Ending::cut_off) {
    e.outcome = Outcome::in_flight;
  } else {
    e.outcome = upgraded(e) ? Outcome::upgraded : is_store(e.protocol) ? of_store(d) : by_status(e.status);
    if (e.protocol == model::Protocol::grpc || e.protocol == model::Protocol::grpc_web) {
      const auto status = e.response_grpc ? e.response_grpc->status : std::nullopt;
      if (status) e.outcome = by_grpc_status(*status);
      // Not answered by gRPC but by something in front of it: HTTP's status is all there is. Otherwise it is not known.
      else if (e.status == 200)
        e.outcome = Outcome::unknown;
    }
  }
}

bool straighten(model::Exchange& e) {
  if (e.role == Role::client) {
    // The send is stamped when it returns; by then the response may be there. It was sent before that.
    const model::Time answered = known(e.response.first_arrived) ? e.response.first_arrived : e.response.first_done;
    if (known(answered) && known(e.request.first_done) && e.request.first_done > answered) {
      const bool one_send = e.request.last_done == e.request.first_done;
      e.request.first_done = answered;
      if (known(e.request_head_done)) e.request_head_done = std::min(e.request_head_done, answered);
      if (one_send) e.request.last_done = answered;
    }
    return false;
  }
  // A server reads before it answers, and both are stamped when done.
  if (!known(e.request.first_done) || !known(e.response.first_done) || e.response.first_done >= e.request.first_done)
    return false;
  e.response.first_done = e.request.first_done;
  if (known(e.response.last_done)) e.response.last_done = std::max(e.response.last_done, e.response.first_done);
  e.taints = e.taints | Taint::conflict;
  return true;
}

}  // namespace tailcap::exchanges
