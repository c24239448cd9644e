// The network interfaces of the namespaces that the recorder and its targets are in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "capture/links/link_message.h"
#include "capture/links/link_socket.h"
#include "formats/recorder_event.h"

namespace tailcap::capture::links {

class Links {
 public:
  static constexpr std::size_t kMaxNamespaces = 32;
  static constexpr std::size_t kMaxLinks = 4096;  // of all namespaces

  // Lists those of the own namespace and of those that the processes are in. Namespaces that cannot be entered are left
  // out: call it while the recorder may enter them.
  explicit Links(const std::set<std::uint32_t>& processes);

  // Calls take(NetLink) for each interface. The texts are valid during the call.
  template <class Take>
  void each(Take&& take) const {
    for (const Space& space : spaces_)
      for (const auto& [index, link] : space.links) take(event_of(space, link, false));
  }
  // The same for those that have changed, appeared or gone since the last call.
  template <class Take>
  void each_change(Take&& take) {
    if (!changed()) return;
    for (const Change& change : changes_) take(event_of(spaces_[change.space], change.link, change.gone));
    changes_.clear();
  }
  // Namespaces of processes whose interfaces are not known.
  std::size_t left_out() const { return left_out_; }

 private:
  struct Space {
    std::uint32_t inode = 0;
    LinkSocket socket;
    std::map<std::uint32_t, LinkFacts> links;
    std::map<std::int32_t, std::uint32_t> ids;  // of other namespaces, as this one knows them: their inodes
  };
  struct Change {
    std::size_t space = 0;
    LinkFacts link;
    bool gone = false;
  };
  bool changed();
  void list_again(std::size_t space, bool tell);
  void apply(std::size_t space, LinkMessage&& message, bool tell);
  static formats::NetLink event_of(const Space& space, const LinkFacts& link, bool gone);

  std::vector<Space> spaces_;
  std::vector<Change> changes_;
  std::size_t count_ = 0, left_out_ = 0;
};

}  // namespace tailcap::capture::links
