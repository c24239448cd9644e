// Packets that the kernel dropped, as its program counted them (bpf/net/drop.bpf.c).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/recorder_event.h"
#include "formats/time.h"

namespace tailcap::capture::links {

class Drops {
 public:
  // The maps, and the names of the reasons by their numbers.
  Drops(const std::array<int, 2>& maps, std::map<std::uint32_t, std::string> reasons)
      : maps_(maps), reasons_(std::move(reasons)) {}

  // The counts of seconds that are over, or of all; each is returned once. The texts are valid until the next call.
  const std::vector<formats::PacketDrops>& take(formats::Time now, bool all);

 private:
  void take(int map, std::uint32_t before);
  std::string_view name_of(std::uint32_t reason);

  std::array<int, 2> maps_;
  std::map<std::uint32_t, std::string> reasons_;
  std::vector<formats::PacketDrops> taken_;
};

}  // namespace tailcap::capture::links
