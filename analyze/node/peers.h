// TCP's troubles, by the other end's address.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "analyze/model/study/node_study.h"
#include "analyze/node/names.h"
#include "analyze/node/open_sockets.h"
#include "formats/event_names.h"

namespace tailcap::node {

class PeerTable {
 public:
  static constexpr std::size_t kMaxPeers = 10'000;  // of each kind; others are added up as one

  void push(const formats::Event& event, const ProcessNames& names);
  void fill(model::NodeStudy& study) const;

 private:
  struct Socket {
    std::string remote;
    std::uint32_t pid = 0;  // that connects
  };
  struct Count {
    std::uint64_t count = 0, bytes = 0;
  };
  using Key = std::pair<std::string, std::pair<std::string, std::uint32_t>>;  // address, cause, process
  using Counts = std::map<Key, Count>;
  std::string remote_of(formats::SocketId id) const;
  static void add(Counts& counts, Key key, std::uint64_t bytes = 0);
  static std::uint64_t list(const Counts& counts, const std::unordered_map<std::uint32_t, std::string>& names,
                            std::vector<model::PeerTrouble>& out);

  OpenSockets<Socket> sockets_;
  Counts failures_, sent_, received_, retransmits_;
  std::unordered_map<std::uint32_t, std::string> names_;  // of processes with failures
};

}  // namespace tailcap::node
