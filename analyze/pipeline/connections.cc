#include "analyze/pipeline/connections.h"

#include <algorithm>

namespace tailcap::pipeline {

void Connections::push(const model::Message& message, const model::Connection* connection) {
  tls_.push(message, connection);
  if (message.tls && message.tls->outcome == model::TlsOutcome::failed && connection)
    troubles_.push(*message.tls, *connection);
  const auto& ended = message.reset;
  if (message.kind == model::MessageKind::closed && ended && ended->goaway && ended->by == formats::Direction::in &&
      ended->code.value_or(0) != 0 && connection && message.direction == formats::Direction::in)
    troubles_.dismissed(*connection, *ended->code);
}

void Connections::carries(const model::Connection& connection, bool setup, model::TextPool& texts) {
  if (connection.id >= endpoints_.size()) endpoints_.resize(connection.id + 1);
  if (endpoints_[connection.id].local == 0) {
    with_requests_ += !setup;
    set_endpoints(connection, texts);
    if (!setup) queues_.carries(connection);
  }
  set_carrier(connection);
}

void Connections::ended(const model::Connection& connection, model::End how, model::TextPool& texts) {
  if (keep_all_) all_.insert_or_assign(connection.id, connection);  // once for each direction
  if (connection.tls) {
    if (connection.carrier != 0)
      connection.bytes_in + connection.bytes_out > 0 ? tls_.has_plaintext(connection.carrier)
                                                     : tls_.has_session(connection.carrier);
    if (local(connection.id) == 0) return;
    // Which socket carries a TLS session may be known later than its first requests.
    set_endpoints(connection, texts);
    set_carrier(connection);
  } else {
    note_moved(connection);
    note_whole(connection);
    if (how == model::End::reset || how == model::End::error) note_failure(connection);
  }
}

void Connections::note_moved(const model::Connection& c) {
  if (c.bytes_in + c.bytes_out == 0 || (c.id < moved_.size() && moved_[c.id])) return;
  if (c.id >= moved_.size()) moved_.resize(c.id + 1);
  moved_[c.id] = true;
  ++(c.origin == formats::Origin::connected ? made_moved_ : accepted_moved_);
}

void Connections::note_whole(const model::Connection& c) {
  const bool whole = c.origin == formats::Origin::connected && formats::known(c.established) && c.lost_out == 0 &&
                     c.lost_in == 0 && c.events_missed == 0;
  if (c.id >= whole_calls_.size()) {
    if (!whole) return;
    whole_calls_.resize(c.id + 1);
  }
  whole_calls_[c.id] = whole ? c.socket : 0;  // once for each direction: the last knows
}

void Connections::name_remotes(model::RequestTable& table) const {
  table.remotes.clear();
  for (const Endpoints& ends : endpoints_) table.remotes.push_back(ends.remote);
}

std::vector<model::Connection> Connections::take_all() {
  std::vector<model::Connection> out;
  out.reserve(all_.size());
  for (auto& [id, connection] : all_) out.push_back(std::move(connection));
  all_.clear();
  return out;
}

void Connections::set_carrier(const model::Connection& connection) {
  if (connection.id >= carriers_.size()) carriers_.resize(connection.id + 1);
  carriers_[connection.id] = {connection.socket, connection.tls ? connection.session : 0};
}

void Connections::set_endpoints(const model::Connection& connection, model::TextPool& texts) {
  Endpoints& ends = endpoints_[connection.id];
  ends.local = texts.intern(model::endpoint(connection, false));
  ends.remote = texts.intern(model::endpoint(connection, true));
  ends.socket = connection.socket;
  ends.net_namespace = connection.net_namespace;
}

// A connection that broke before it carried anything.
void Connections::note_failure(const model::Connection& c) {
  if (c.bytes_in + c.bytes_out > 0 || c.origin == formats::Origin::existed) return;
  if (formats::known(c.connect_started) && !formats::known(c.established)) return;  // counted as a connect that failed
  if (c.id < failed_.size() && failed_[c.id]) return;
  if (c.id >= failed_.size()) failed_.resize(c.id + 1);
  failed_[c.id] = true;
  troubles_.broke(c);
}

void Connections::fill(model::Study& study) {
  study.quality.connections_http = with_requests_;
  study.quality.connections_encrypted = tls_.encrypted();
  study.quality.failed_connections = troubles_.failed_connections();
  study.tls = tls_.list();
  study.failures = troubles_.connections();
  study.troubles = troubles_.take();
  queues_.fill(study);
}

void Connections::fill_unread(model::Quality& quality) const {
  const bool none_read = quality.tls.seen == 0;
  const std::uint64_t unread = tls_.unread(false) + (none_read ? tls_.unread(true) : 0);
  quality.connections_moved = accepted_moved_ + (none_read && tls_.unread(true) > 0 ? made_moved_ : 0);
  // A session whose connection is not known may be of one that seems unread.
  quality.connections_unread = unread - std::min(unread, quality.tls.unbound);
}

}  // namespace tailcap::pipeline
