// The reading end of a BPF ring buffer.
//
// Space goes back to the kernel in portions, not per record: the position is on a cache line that every producer
// reads, and libbpf's reader writes it after each record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tailcap::capture {

class Ring {
 public:
  // map: descriptor of the ring buffer map, which must outlive this. Throws std::system_error.
  Ring(int map, std::uint64_t bytes);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Begins a round: front() returns what is in the ring now, nothing that comes later.
  void begin();
  // The next record of the round; empty: none is ready. Valid until it is passed.
  std::span<const std::byte> front();
  // front() has been read; only if there was one.
  void pass();
  // Gives the space of everything passed back to the kernel.
  void release();
  std::uint64_t pending() const;  // bytes not passed yet
  std::uint64_t held() const;     // bytes not released yet; any thread may ask

 private:
  std::uint64_t size_;
  std::size_t page_;
  std::uint64_t position_ = 0, next_ = 0, released_ = 0;  // next_: behind the front
  std::uint64_t end_ = 0;                                 // of the round
  void* consumer_ = nullptr;                              // a page with our position, writable
  void* producer_ = nullptr;  // a page with the kernel's position, then the data twice in a row
  const std::byte* data_ = nullptr;
};

}  // namespace tailcap::capture
