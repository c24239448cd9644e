#include "analyze/exchanges/failed_setup.h"

#include <string>
#include <utility>

#include "formats/event.h"

namespace tailcap::exchanges {

using formats::known;
using model::End;
using model::Exchange;
using model::Outcome;
using model::Taint;

namespace {

Exchange call_to(const model::Connection& c, model::Protocol protocol, std::string operation) {
  Exchange e;
  e.id = {c.id, 1};
  e.role = model::Role::client;
  e.protocol = protocol;
  e.method = std::move(operation);
  e.target = model::endpoint(c, true);
  e.request_headers_complete = true;
  e.outcome = Outcome::no_response;
  e.store.emplace().failed = true;
  return e;
}

void asked(Exchange& e, model::Time at) { e.request.first_done = e.request.last_done = e.request_head_done = at; }

}  // namespace

std::optional<Exchange> failed_connect(const model::Connection& c, End how) {
  // The kernel does not always say that a connection was established.
  const bool moved = c.was_connected || c.bytes_in + c.bytes_out + c.lost_in + c.lost_out > 0;
  if (c.tls || !known(c.connect_started) || known(c.established) || moved || c.family == formats::Family::unknown ||
      (how != End::capture && !c.connect_failed))
    return std::nullopt;
  Exchange e = call_to(c, model::Protocol::tcp, "CONNECT");
  asked(e, c.connect_started);
  e.writer = c.opener;
  if (how == End::capture) {
    e.outcome = Outcome::in_flight;
    e.taints = e.taints | Taint::cut_off;
    return e;
  }
  e.broken_at = c.closed;
  if (c.error == 0) e.outcome = Outcome::cancelled;
  e.store->error_code = model::cause_of(c.error);
  return e;
}

std::optional<Exchange> failed_handshake(const model::Connection& c, const model::TlsFacts& facts) {
  if (facts.client != model::Direction::out || facts.outcome != model::TlsOutcome::failed || !known(facts.began))
    return std::nullopt;
  Exchange e = call_to(c, model::Protocol::tls, "HANDSHAKE");
  asked(e, facts.began);
  e.writer = facts.thread.tid != 0 ? facts.thread : c.opener;
  e.broken_at = facts.alert && known(facts.alert->at) ? facts.alert->at : known(c.closed) ? c.closed : facts.began;
  e.store->error_code = model::failure_text(facts);
  return e;
}

Exchange failed_lookup(const model::Connection& c, const model::FailedName& name) {
  Exchange e = call_to(c, model::Protocol::dns, "LOOKUP");
  e.target = name.name;
  asked(e, name.began);
  e.writer = name.asker;
  e.store->error_code = name.cause;
  e.broken_at = name.done;
  if (name.in_flight) {
    e.outcome = Outcome::in_flight;
    e.taints = e.taints | Taint::cut_off;
  }
  return e;
}

}  // namespace tailcap::exchanges
