#include "analyze/node/links.h"

#include <algorithm>

#include "formats/event.h"

namespace tailcap::node {
namespace {

using formats::Duration;
using formats::Time;

// At least: options make a header longer.
constexpr std::uint32_t kHeaders4 = 40, kHeaders6 = 60;
// Fewer packets are lost for other reasons, too.
constexpr std::uint64_t kFewLarge = 3;
// So that sums of as many as a capture may have do not overflow.
constexpr Duration kMostRtt{1'000'000'000'000};
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWindows = 100;  // at most

// Almost all of them: a path that also loses small packets has another trouble.
bool almost_all(std::uint64_t large, std::uint64_t count) { return large >= kFewLarge && large >= count - count / 10; }

}  // namespace

void LinkTroubles::push(const formats::Event& event, bool counted) {
  // The first window begins with the time that is asked about: what is not counted would look like calm before.
  if (counted && !known(first_) && known(event.time)) first_ = event.time;
  if (const auto* link = std::get_if<formats::NetLink>(&event.body))
    links_.push(*link);
  else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body))
    see(event.time, *info, counted);
  else if (const auto* change = std::get_if<formats::StateChange>(&event.body))
    see(event.time, *change, counted);
  else if (const auto* again = std::get_if<formats::Retransmit>(&event.body); again && counted)
    see(event.time, *again);
}

void LinkTroubles::see(Time time, const formats::SocketInfo& info, bool counted) {
  const auto remote = remote_end(info);
  Socket* known_socket = remote ? sockets_.find_or_add(info.socket) : nullptr;
  if (!known_socket) return;
  Socket& socket = *known_socket;
  socket.net_namespace = info.net_namespace;
  socket.remote = remote->substr(0, remote->rfind(':'));
  socket.v6 = info.family == formats::Family::inet6;
  const auto handshake = handshakes_.find(info.socket);
  if (handshake == handshakes_.end()) {
    if (counted && info.rtt.count() > 0) read_rtt(time, socket.remote, info.rtt);
    return;
  }
  if (counted) read_handshake(socket.remote, handshake->second);
  handshakes_.erase(handshake);
}

void LinkTroubles::see(Time time, const formats::StateChange& change, bool counted) {
  if (change.to == formats::TcpState::established && change.rtt.count() > 0) {
    // The connection's description follows.
    if (handshakes_.size() >= kMaxHandshakes) handshakes_.clear();
    handshakes_[change.socket] = change.rtt;
  }
  const Socket* socket = sockets_.find(change.socket);
  if (!socket) return;
  if (counted && change.rtt.count() > 0 && change.from == formats::TcpState::established)
    read_rtt(time, socket->remote, change.rtt);
  if (change.to == formats::TcpState::close) sockets_.close(change.socket);
}

void LinkTroubles::see(Time time, const formats::Retransmit& again) {
  const Socket* socket = sockets_.find(again.socket);
  Key key;
  if (socket && again.interface != 0) key = {socket->net_namespace, again.interface};
  if (counts_.size() >= kMaxLinks && !counts_.contains(key)) key = {};
  Counts& counts = counts_[key];
  ++counts.count;
  counts.bytes += again.length;
  count_in_bucket(time, key);
  const model::Link* link = links_.find(key.first, key.second);
  counts.name.net_namespace = key.first;
  counts.name.index = key.second;
  if (!link) return;
  counts.name.name = link->name;
  counts.name.mtu = link->mtu;
  const model::Link* master = links_.master_of(*link);
  counts.name.master = master ? master->name : "";
  const std::uint64_t packet = std::uint64_t{again.segment} + (socket->v6 ? kHeaders6 : kHeaders4);
  if (again.path_mtu != 0 && again.path_mtu < link->mtu) {
    ++counts.told_by_icmp;
    if (counts.path_mtu == 0 || again.path_mtu < counts.path_mtu) counts.path_mtu = again.path_mtu;
  }
  const model::Link* peer = links_.peer_of(*link);
  if (!peer || peer->gone || peer->mtu >= link->mtu) return;
  counts.peer_mtu = peer->mtu;
  counts.peer_name = peer->name;
  if (again.segment != 0 && packet > peer->mtu) ++counts.beyond_peer;
}

void LinkTroubles::count_in_bucket(Time time, Key key) {
  if (!known(time) || time < first_) return;
  ++buckets_[(time - first_).count() / bucket_][key];
  while (buckets_.size() > kMaxBuckets) {
    bucket_ *= 2;
    std::map<std::int64_t, std::map<Key, std::uint64_t>> wider;
    for (const auto& [index, counts] : buckets_)
      for (const auto& [link, count] : counts) wider[index / 2][link] += count;
    buckets_ = std::move(wider);
  }
}

void LinkTroubles::read_handshake(const std::string& address, Duration rtt) {
  rtt = std::min(rtt, kMostRtt);
  if (rtts_.size() >= kMaxPeers && !rtts_.contains(address)) return;
  model::PeerRtt& told = rtts_[address].told;
  told.address = address;
  told.handshake_least = told.handshakes == 0 ? rtt : std::min(told.handshake_least, rtt);
  told.handshake_most = std::max(told.handshake_most, rtt);
  told.handshake_sum += rtt;
  ++told.handshakes;
}

void LinkTroubles::read_rtt(Time time, const std::string& address, Duration rtt) {
  rtt = std::min(rtt, kMostRtt);
  if (!known(time) || time < first_) return;
  if (rtts_.size() >= kMaxPeers && !rtts_.contains(address)) return;
  Rtt& known_rtt = rtts_[address];
  const std::int64_t window = (time - first_).count() / model::NodeStudy::kRttWindow.count();
  if (window > known_rtt.window) {
    end_window(known_rtt);
    known_rtt.window = window;
  }
  known_rtt.sum += rtt;
  ++known_rtt.count;
  model::PeerRtt& told = known_rtt.told;
  told.address = address;
  ++told.readings;
  told.smoothed_sum += rtt;
  told.smoothed_most = std::max(told.smoothed_most, rtt);
}

void LinkTroubles::end_window(Rtt& rtt) const {
  if (rtt.count == 0) return;
  const Duration mean = rtt.sum / static_cast<std::int64_t>(rtt.count);
  const auto rise = [](Duration before, Duration after) {
    return before.count() > 0 ? static_cast<double>(after.count()) / static_cast<double>(before.count()) : 0;
  };
  if (rise(rtt.before, mean) > std::max(1.0, rise(rtt.told.before, rtt.told.after))) {
    rtt.told.before = rtt.before;
    rtt.told.after = mean;
    rtt.told.rise = first_ + rtt.window * model::NodeStudy::kRttWindow;
  }
  rtt.before = mean;
  rtt.sum = {};
  rtt.count = 0;
}

const model::LinkName& LinkTroubles::name_of(Key key) const {
  static const model::LinkName unknown;
  const auto at = counts_.find(key);
  return at == counts_.end() ? unknown : at->second.name;
}

void LinkTroubles::fill(model::NodeStudy& study) const {
  constexpr std::size_t kMost = model::NodeStudy::kMaxListed;
  for (const auto& [key, counts] : counts_) {
    study.retransmit_links.push_back({counts.name, counts.count, counts.bytes});
    if (almost_all(counts.beyond_peer, counts.count))
      study.mtu_mismatches.push_back(
          {counts.name, counts.peer_mtu, counts.peer_name, counts.beyond_peer, counts.count});
    else if (counts.told_by_icmp >= kFewLarge)
      study.mtu_mismatches.push_back({counts.name, counts.path_mtu, "", counts.told_by_icmp, counts.count});
  }
  const auto most = [](const auto& a, const auto& b) { return a.count > b.count; };
  std::stable_sort(study.retransmit_links.begin(), study.retransmit_links.end(), most);
  std::stable_sort(study.mtu_mismatches.begin(), study.mtu_mismatches.end(), most);
  if (study.retransmit_links.size() > kMost) study.retransmit_links.resize(kMost);
  if (study.mtu_mismatches.size() > kMost) study.mtu_mismatches.resize(kMost);
  for (const auto& [address, rtt] : rtts_) {
    Rtt last = rtt;
    end_window(last);
    study.rtts.push_back(last.told);
  }
  std::stable_sort(study.rtts.begin(), study.rtts.end(),
                   [](const auto& a, const auto& b) { return a.readings > b.readings; });
  if (study.rtts.size() > kMost) study.rtts.resize(kMost);
  fill_windows(study);
}

// As short as a list of that many allows, in whole buckets.
void LinkTroubles::fill_windows(model::NodeStudy& study) const {
  if (buckets_.empty()) return;
  const std::int64_t last = buckets_.rbegin()->first;
  std::int64_t buckets = bucket_ < 10 * kSecond && last * bucket_ >= 30 * kSecond ? 10 * kSecond / bucket_ : 1;
  while (last / std::max<std::int64_t>(buckets, 1) >= kWindows) buckets = std::max<std::int64_t>(buckets, 1) * 2;
  buckets = std::max<std::int64_t>(buckets, 1);
  study.window = Duration(bucket_ * buckets);
  std::map<std::int64_t, std::map<Key, std::uint64_t>> windows;
  for (const auto& [index, counts] : buckets_)
    for (const auto& [key, count] : counts) windows[index / buckets][key] += count;
  for (std::int64_t i = 0; i <= last / buckets; ++i) {
    model::RetransmitWindow window;
    window.from = first_ + i * study.window;
    for (const auto& [key, count] : windows[i]) {
      window.count += count;
      if (count <= window.of_most) continue;
      window.of_most = count;
      window.most = name_of(key);
    }
    study.windows.push_back(std::move(window));
  }
}

}  // namespace tailcap::node
