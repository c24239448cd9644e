#include "analyze/model/machine/link_table.h"

namespace tailcap::model {

Link link_of(const formats::NetLink& event) {
  return {event.net_namespace,
          event.index,
          std::string(event.name),
          std::string(event.type),
          event.mtu,
          event.master,
          event.peer,
          event.peer_namespace,
          event.up,
          event.gone};
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
