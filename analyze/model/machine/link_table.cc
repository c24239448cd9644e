#include "analyze/model/machine/link_table.h"

namespace tailcap::model {

Link link_of(const formats::NetLink& event) {
  Link link;
  link.net_namespace = event.net_namespace;
  link.index = event.index;
  link.name = event.name.substr(0, kMaxLinkName);
  link.type = event.type.substr(0, kMaxLinkName);
  link.mtu = event.mtu;
  link.master = event.master;
  link.peer = event.peer;
  link.peer_namespace = event.peer_namespace;
  link.up = event.up;
  link.gone = event.gone;
  return link;
}

void LinkTable::push(const formats::NetLink& event) {
  const std::pair key(event.net_namespace, event.index);
  if (links_.size() >= kMaxLinks && !links_.contains(key)) return;
  links_[key] = link_of(event);
}

const Link* LinkTable::find(std::uint32_t net_namespace, std::uint32_t index) const {
  if (index == 0) return nullptr;
  const auto at = links_.find({net_namespace, index});
  return at == links_.end() ? nullptr : &at->second;
}

const Link* LinkTable::master_of(const Link& link) const { return find(link.net_namespace, link.master); }

const Link* LinkTable::peer_of(const Link& link) const {
  return link.peer_namespace == 0 ? nullptr : find(link.peer_namespace, link.peer);
}

}  // namespace tailcap::model
