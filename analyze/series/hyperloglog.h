// HyperLogLog: how many different things there were, in a fixed room.
//
// Flajolet, Fusy, Gandouet, Meunier (2007), with hashes of 64 bits, so that there is no correction for large numbers;
// linear counting where registers are empty.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace tailcap::series {

class HyperLogLog {
 public:
  static constexpr unsigned kBits = 14;
  static constexpr std::size_t kRegisters = std::size_t{1} << kBits;
  static constexpr double kStandardError = 1.04 / 128;  // 1.04 / √registers: 0.81 %

  HyperLogLog() : registers_(std::make_unique<std::array<std::uint8_t, kRegisters>>()) {}
  void add(std::string_view text) { add_hash(hash_of(text)); }
  void add_hash(std::uint64_t hash);
  // The same as after all that was added to either.
  void merge(const HyperLogLog& other);
  double estimate() const;

  static std::uint64_t hash_of(std::string_view text);

 private:
  std::unique_ptr<std::array<std::uint8_t, kRegisters>> registers_;
};

}  // namespace tailcap::series
