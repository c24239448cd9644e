// Reads the rings of all CPUs as one, in the order of their records' times.
//
// The records of one CPU are in order except for interrupts. Those of several are merged up to the time before which
// all have surely written: a record's time is read a moment before it is in its ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "capture/rings/ring.h"
#include "formats/time.h"

namespace tailcap::capture {

// The number of rings that share `bytes`; asked: the user's choice, 0: none.
std::uint32_t rings_for(std::uint32_t asked, std::uint64_t bytes);

class Rings {
 public:
  // first: a ring buffer map of `bytes`. The others, `count` in all, are created alike and put into `map`, a map of
  // rings, after it. Both maps must outlive this object. Throws std::system_error.
  Rings(int first, int map, std::uint32_t count, std::uint64_t bytes);
  ~Rings();
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;

  std::span<const int> descriptors() const { return descriptors_; }

  // Begins a round: next() returns the records present now, up to `now` minus a short margin; all: up to now.
  void begin(formats::Time now, bool all);
  // The next record of the round; empty: that was all. Valid until the next call.
  std::span<const std::byte> next();
  // Gives the space of everything read back to the kernel.
  void release();
  std::uint64_t pending() const;  // bytes not read yet
  std::uint64_t held() const;     // bytes that the kernel cannot use again yet; any thread may ask

 private:
  struct Source {
    std::unique_ptr<Ring> ring;
    std::span<const std::byte> front{};
    std::int64_t time = 0;  // of front
  };
  void look(Source& source);
  void close_all();

  std::vector<int> descriptors_;
  std::vector<Source> sources_;
  Source* passed_ = nullptr;  // next() has returned its front
  std::int64_t until_ = 0;
};

}  // namespace tailcap::capture
