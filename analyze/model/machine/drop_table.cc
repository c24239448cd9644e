#include "analyze/model/machine/drop_table.h"

#include <algorithm>

#include "analyze/model/wire/connection.h"

namespace tailcap::model {

namespace {

using formats::Family;

bool is_ip(Family family) { return family == Family::inet || family == Family::inet6; }

std::string destination_of(const formats::PacketDrops& drops) {
  if (!is_ip(drops.family)) return "";
  Connection c;
  c.family = drops.family;
  c.local = drops.to;
  const std::string text = endpoint(c, false);
  return drops.to.port != 0 ? text : text.substr(0, text.rfind(':'));
}

}  // namespace

DropTable::End DropTable::end_of(Family family, const formats::Address& address) {
  End end{address.bytes, address.port};
  if (family != Family::inet) return end;
  end.first = {};
  if (address.bytes == decltype(address.bytes){}) return end;  // any address
  end.first[10] = end.first[11] = 0xff;
  std::copy_n(address.bytes.begin(), 4, end.first.begin() + 12);
  return end;
}

void DropTable::push(const formats::PacketDrops& drops) {
  Key key{drops.reason, destination_of(drops)};
  if (drops_.size() >= kMaxDrops && !drops_.contains(key)) key.second.clear();
  auto& [packets, end] = drops_[key];
  if (!key.second.empty()) end = end_of(drops.family, drops.to);
  if (!known(packets.first) || drops.began < packets.first) packets.first = drops.began;
  packets.most = std::max(packets.most, drops.count);
  packets.count += std::min(drops.count, UINT64_MAX - packets.count);
}

void DropTable::push(const formats::SocketInfo& socket) {
  if (!is_ip(socket.family) || socket.local.port == 0) return;
  const End end = end_of(socket.family, socket.local);
  if (ends_.size() < kMaxEnds || socket.state == formats::TcpState::listen) ends_.insert(end);
}

template <class Wanted>
std::vector<DroppedPackets> DropTable::list(Wanted wanted) const {
  std::vector<DroppedPackets> out;
  for (const auto& [key, drops] : drops_) {
    if (!wanted(drops)) continue;
    auto& listed = out.emplace_back(drops.packets);
    listed.reason = key.first;
    listed.to = key.second;
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return out;
}

std::vector<DroppedPackets> DropTable::all() const {
  return list([](const Drops&) { return true; });
}

std::vector<DroppedPackets> DropTable::to_recorded() const {
  return list([&](const Drops& d) {
    return d.end.second != 0 && (ends_.contains(d.end) || ends_.contains(End{{}, d.end.second}));
  });
}

}  // namespace tailcap::model
