// How sure a number is: blocks of requests that are close in time, or groups of connections, drawn with replacement.
//
// Requests close in time are alike, so whole blocks are drawn. Drawn by a generator of our own, seeded by the caller:
// the same capture gives the same intervals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailcap::model {

inline constexpr std::size_t kReplicates = 1000;

// The generator called splitmix64: any state will do, and it is the same everywhere.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t n) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::size_t>(((z ^ (z >> 31)) >> 32) * n >> 32);
  }

 private:
  std::uint64_t state_;
};

// The block of each item, and the number of blocks.
struct TimeBlocks {
  std::vector<std::uint32_t> of;
  std::size_t count = 0;
};
inline constexpr std::size_t kLeastBlocks = 20;  // fewer carry no interval, and fewer items have no blocks
// n items in order of start. correlation: items in a row that say no more than one; seconds: length of the capture.
TimeBlocks blocks_in_time(std::size_t n, double correlation, double seconds);
// connections: of the items. None where there are too few connections for an interval.
TimeBlocks groups_of_connections(const std::vector<std::uint32_t>& connections);

// How often each block is drawn, as often as there are blocks.
void draw(Draws& draws, std::vector<double>& times);

struct DrawnInterval {
  double low = 0, high = 0;  // 95 %
  double p = 1;              // how often a value of the other sign came out, both sides
};
// values: drawn from this number of blocks; they are sorted.
DrawnInterval interval_of(std::vector<double>& values, std::size_t blocks);

}  // namespace tailcap::model
