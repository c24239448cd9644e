// The rings of all CPUs as one: their records in the order of their times.
//
// What one CPU writes is in order but for interrupts. Those of several are merged as far as all have surely written
// what is older: a record's time is read a moment before it is in its ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "capture/ring.h"
#include "formats/time.h"

namespace tailcap::capture {

// How many rings share `bytes`; asked: by the user, 0: not.
std::uint32_t rings_for(std::uint32_t asked, std::uint64_t bytes);

class Rings {
 public:
  // first: a ring buffer map of `bytes`; the others are made, alike, up to `count` in the places of a map of rings
  // behind its. Both maps must outlive this. Throws std::system_error.
  Rings(int first, int map, std::uint32_t count, std::uint64_t bytes);
  ~Rings();
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  std::span<const int> descriptors() const { return descriptors_; }

  // Begins a round: what is there now, up to `now` less the moment, is read by next(); all: up to now.
  void begin(formats::Time now, bool all);
  // The next record of the round; empty: that was all. Valid until the next call.
  std::span<const std::byte> next();
  // Gives the space of everything read back to the kernel.
  void release();
  std::uint64_t pending() const;  // bytes not read yet

 private:
  struct Source {
    std::unique_ptr<Ring> ring;
    std::span<const std::byte> front{};
    std::int64_t time = 0;   // of front
    std::uint64_t left = 0;  // bytes of this round; more that is written meanwhile waits for its turn
  };
  void look(Source& source);
  void close_all();

  std::vector<int> descriptors_;
  std::vector<Source> sources_;
  Source* passed_ = nullptr;  // whose front next() has given
  std::int64_t until_ = 0;
};

}  // namespace tailcap::capture
