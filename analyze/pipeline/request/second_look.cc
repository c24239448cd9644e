#include "analyze/pipeline/request/second_look.h"

#include <algorithm>
#include <utility>

#include "analyze/pipeline/request/family.h"

namespace tailcap::pipeline {
namespace {

using formats::known;
using formats::Time;
using model::ExchangeId;
using model::RequestDetail;

std::optional<model::Request> row_of(const model::RequestTable& table, ExchangeId id) {
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    if (table.rows.id(i) == id) return table.rows[i];
  return std::nullopt;
}

RequestDetail described(const model::Request& row, const model::RequestTable& table) {
  const model::TextPool& texts = table.texts;
  RequestDetail d;
  d.row = row;
  d.method = texts[row.method];
  d.path = texts[row.path];
  d.route = texts[row.route];
  d.authority = texts[row.authority];
  d.comm = texts[row.comm];
  d.request_id = texts[row.request_id];
  d.handler = texts[table.handlers.find(row.id)];
  d.trace = texts[row.traceparent];
  d.path_known = row.path != 0;
  if (const model::Setup* setup = table.setups.find(row.id)) {
    d.setup = *setup;
    d.dns_name = texts[setup->dns_name];
    d.server_name = texts[setup->tls_server_name];
  }
  return d;
}

}  // namespace

void SecondLook::begin(const model::RequestTable& table, const Recording&) {
  const auto row = row_of(table, id_);
  if (!row) return;
  ends_.push_back(described(*row, table));
  if (const auto peer = row_of(table, row->peer)) ends_.push_back(described(*peer, table));
  for (const RequestDetail& d : ends_) around_.emplace_back(d.row);
  if (with_lanes_) lanes_ = lanes_around(table);
}

std::optional<timeline::LaneCollector> SecondLook::lanes_around(const model::RequestTable& table) const {
  const model::Request& row = ends_.front().row;
  if (!known(row.start) || !row.has_duration) return std::nullopt;
  Time from = row.start, to = row.start + row.duration;
  if (ends_.size() > 1) {
    const model::Request& peer = ends_.back().row;
    if (known(peer.start) && peer.has_duration) {
      from = std::min(from, peer.start);
      to = std::max(to, peer.start + peer.duration);
    }
  }
  const formats::Duration margin = std::max<formats::Duration>((to - from) / 10, std::chrono::microseconds{100});
  return timeline::LaneCollector(from - margin, to + margin, Family(table).pids(row.id));
}

void SecondLook::push(const formats::Event& event) {
  if (ends_.empty()) return;
  pair_again(event);
  for (RequestSurroundings& around : around_) around.push(event);
  if (lanes_) lanes_->push(event);
}

void SecondLook::pair_again(const formats::Event& event) {
  const std::span<const model::ByteRun> runs = wire_.push(event);
  if (wire_.datagram()) return;
  for (const model::ByteRun& run : runs) {
    std::vector<std::size_t> found;
    wire_.exchanges(run, [&](const model::Exchange& exchange) {
      for (std::size_t i = 0; i < ends_.size(); ++i)
        if (exchange.id == ends_[i].row.id) {
          ends_[i].exchange = exchange;
          found.push_back(i);
        }
    });
    // A connection may be forgotten after its end.
    for (RequestDetail& d : ends_)
      if (run.connection == d.row.id.connection)
        if (const auto* connection = wire_.connection(run.connection)) d.connection = *connection;
    for (const std::size_t i : found) around_[i].settle(ends_[i].exchange, ends_[i].connection);
  }
  for (std::size_t i = 0; i < ends_.size(); ++i)
    if (around_[i].socket() == 0)
      if (const auto* connection = wire_.connection(ends_[i].row.id.connection)) around_[i].on(connection->socket);
}

std::vector<RequestDetail> SecondLook::ends() {
  for (std::size_t i = 0; i < ends_.size(); ++i) around_[i].fill(ends_[i]);
  return std::move(ends_);
}

model::Lanes SecondLook::lanes(const std::vector<std::uint32_t>& pids) {
  if (!lanes_) return {};
  lanes_->only(pids);
  return lanes_->done();
}

}  // namespace tailcap::pipeline
