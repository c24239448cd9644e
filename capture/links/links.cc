#include "capture/links/links.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <system_error>
#include <thread>
#include <utility>

#include "capture/host/descriptor.h"

namespace tailcap::capture::links {
namespace {

struct NameSpace {
  std::uint32_t inode = 0;
  Descriptor place;  // for setns()
};

NameSpace name_space_of(const std::string& process) {
  const std::string path = "/proc/" + process + "/ns/net";
  NameSpace out{0, Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC))};
  struct stat status {};
  if (out.place && fstat(out.place.get(), &status) == 0) out.inode = static_cast<std::uint32_t>(status.st_ino);
  return out;
}

// A socket stays in the namespace that the thread was in as it made it.
LinkSocket socket_in(const NameSpace& there) {
  LinkSocket made{LinkSocket::none()};
  try {
    std::thread([&] {
      if (setns(there.place.get(), CLONE_NEWNET) == 0) made = LinkSocket();
    }).join();
  } catch (const std::system_error&) {  // no thread can be started: this namespace is left out
  }
  return made;
}

}  // namespace

Links::Links(const std::set<std::uint32_t>& processes) {
  std::vector<NameSpace> places;
  std::set<std::uint32_t> known;
  const auto add = [&](NameSpace&& place, bool own) {
    if (place.inode == 0 || !known.insert(place.inode).second) return;
    LinkSocket socket = spaces_.size() >= kMaxNamespaces ? LinkSocket::none() : own ? LinkSocket() : socket_in(place);
    if (!socket) {
      ++left_out_;
      return;
    }
    spaces_.push_back({place.inode, std::move(socket), {}, {}});
    places.push_back(std::move(place));
  };
  add(name_space_of("self"), true);
  for (const std::uint32_t pid : processes) add(name_space_of(std::to_string(pid)), false);
  // The kernel gives a namespace its number when a list first needs one.
  for (std::size_t i = 0; i < spaces_.size(); ++i) list_again(i, false);
  for (Space& space : spaces_) {
    for (std::size_t other = 0; other < spaces_.size(); ++other) {
      if (&spaces_[other] == &space) continue;
      if (const auto id = space.socket.id_of(places[other].place.get())) space.ids[*id] = spaces_[other].inode;
    }
  }
  // What changed while these questions were asked.
  for (std::size_t i = 0; i < spaces_.size(); ++i) list_again(i, false);
}

bool Links::changed() {
  std::vector<LinkMessage> heard;
  for (std::size_t i = 0; i < spaces_.size(); ++i) {
    heard.clear();
    const bool whole = spaces_[i].socket.changes(heard);
    for (LinkMessage& message : heard) apply(i, std::move(message), true);
    if (!whole) list_again(i, true);
  }
  return !changes_.empty();
}

void Links::list_again(std::size_t space, bool tell) {
  std::vector<LinkMessage> heard;
  const bool whole = spaces_[space].socket.list(heard);
  std::set<std::uint32_t> seen;
  for (LinkMessage& message : heard) {
    if (!message.gone) seen.insert(message.link.index);
    apply(space, std::move(message), tell);
  }
  if (!whole) return;
  std::vector<LinkFacts> gone;
  for (const auto& [index, link] : spaces_[space].links)
    if (!seen.contains(index)) gone.push_back(link);
  for (LinkFacts& link : gone) apply(space, {std::move(link), true}, tell);
}

void Links::apply(std::size_t space, LinkMessage&& message, bool tell) {
  auto& links = spaces_[space].links;
  const auto at = links.find(message.link.index);
  if (message.gone) {
    if (at == links.end()) return;
    links.erase(at);
    --count_;
  } else if (at != links.end()) {
    if (at->second == message.link) return;
    at->second = message.link;
  } else {
    if (count_ >= kMaxLinks) return;
    ++count_;
    links.emplace(message.link.index, message.link);
  }
  if (tell) changes_.push_back({space, std::move(message.link), message.gone});
}

formats::NetLink Links::event_of(const Space& space, const LinkFacts& link, bool gone) {
  formats::NetLink out;
  out.net_namespace = space.inode;
  out.index = link.index;
  out.name = link.name;
  out.type = link.type;
  out.mtu = link.mtu;
  out.master = link.master;
  out.peer = link.peer;
  if (link.peer != 0) {
    const auto other = link.peer_namespace_id ? space.ids.find(*link.peer_namespace_id) : space.ids.end();
    if (!link.peer_namespace_id) out.peer_namespace = space.inode;
    if (other != space.ids.end()) out.peer_namespace = other->second;
  }
  out.up = link.up;
  out.gone = gone;
  return out;
}

}  // namespace tailcap::capture::links
