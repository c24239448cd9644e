#include "analyze/causes/connection_uses.h"

#include <algorithm>

namespace tailcap::causes {

using formats::known;

namespace {

// A server says why and ends the calls under way at the same time.
constexpr formats::Duration kTogether = std::chrono::milliseconds{100};

}  // namespace

void UseFinder::push(const model::Exchange& e, const model::Request& row, const model::Connection& c) {
  const bool client = e.role == model::Role::client;
  const auto before = client ? last_.find(c.id) : last_.end();
  if (model::failed(row) && known(row.start) && failed_.size() < kMaxUses && (client || e.stream != 0)) {
    Failed& f = failed_.emplace_back();
    f.id = row.id;
    f.end = row.has_duration ? row.start + row.duration : formats::kMaxTime;
    model::ConnectionUse& use = f.use;
    if (client && known(c.established) && c.established <= row.start) use.age = (row.start - c.established).count();
    // Streams of one connection overlap: it was idle between none of them.
    if (e.stream == 0 && !has_numbers(e.protocol) && before != last_.end() && before->second <= row.start)
      use.idle = (row.start - before->second).count();
    if (client && known(c.peer_closed) && c.peer_closed <= row.start) use.closed = (row.start - c.peer_closed).count();
  }
  if (client && known(e.response.last_done) && (before != last_.end() || last_.size() < kMaxConnections))
    last_[c.id] = e.response.last_done;
}

void UseFinder::push(const model::Message& closed) {
  const auto& r = closed.reset;
  if (!r || !r->goaway || r->code.value_or(0) == 0) return;
  if (dismissed_.size() < kMaxConnections) dismissed_[closed.connection] = {r->at, *r->code};
}

void UseFinder::settle(model::RequestTable& table) {
  std::vector<std::pair<model::ExchangeId, model::ConnectionUse>> out;
  for (Failed& f : failed_) {
    const auto at = dismissed_.find(f.id.connection);
    if (at != dismissed_.end() && (!known(at->second.at) || f.end >= at->second.at - kTogether))
      f.use.goaway = at->second.code;
    if (f.use != model::ConnectionUse{}) out.emplace_back(f.id, f.use);
  }
  failed_.clear();
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  table.uses.assign(std::move(out));
}

}  // namespace tailcap::causes
