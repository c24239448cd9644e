#include "analyze/streams/facts.h"

#include "formats/event.h"

namespace tailcap::streams {

const model::Connection* ConnectionFacts::add(const model::FailedName& name) {
  model::Connection& c = add(name.last.socket, name.began);
  c.family = name.last.family;
  c.type = formats::SocketType::datagram;
  c.origin = formats::Origin::connected;
  c.local = name.last.local;
  c.remote = name.last.server;
  c.opener = name.asker;
  close(c.id);
  return &c;
}

void describe(model::Connection& c, const formats::SocketInfo& info) {
  if (c.family == formats::Family::unknown) c.family = info.family;
  if (c.type == formats::SocketType::unknown) c.type = info.type;
  if (c.origin == formats::Origin::unknown) c.origin = info.origin;
  // A socket that has just begun to connect has no port yet: it is described again once the connection is established.
  if (c.local.port == 0) c.local = info.local;
  if (c.remote.port == 0) c.remote = info.remote;
  if (c.net_namespace == 0) c.net_namespace = info.net_namespace;
  if (c.inode == 0) c.inode = info.inode;
  if (c.peer_inode == 0) c.peer_inode = info.peer_inode;
  if (c.path.empty()) c.path = info.path;
}

}  // namespace tailcap::streams
