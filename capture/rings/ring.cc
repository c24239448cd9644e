#include "capture/rings/ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>

namespace tailcap::capture {

namespace {

constexpr std::uint64_t kReleaseBytes = 256u << 10;
// Another CPU wrote the next record: it comes nearer while this one is looked at.
constexpr std::uint64_t kAhead = 512, kLine = 64;

std::atomic_ref<std::uint64_t> position_in(void* page) {
  return std::atomic_ref<std::uint64_t>(*static_cast<std::uint64_t*>(page));
}

}  // namespace

Ring::Ring(int map, std::uint64_t bytes) : size_(bytes), page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
  consumer_ = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (consumer_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot map the ring buffer");
  producer_ = mmap(nullptr, page_ + 2 * size_, PROT_READ, MAP_SHARED, map, static_cast<off_t>(page_));
  if (producer_ == MAP_FAILED) {
    const int error = errno;
    munmap(consumer_, page_);
    throw std::system_error(error, std::generic_category(), "cannot map the ring buffer's data");
  }
  data_ = static_cast<const std::byte*>(producer_) + page_;
  position_ = released_ = end_ = position_in(consumer_).load();
}

Ring::~Ring() {
  munmap(producer_, page_ + 2 * size_);
  munmap(consumer_, page_);
}

std::uint64_t Ring::pending() const { return position_in(producer_).load(std::memory_order_acquire) - position_; }

std::uint64_t Ring::held() const {
  const std::uint64_t released = position_in(consumer_).load(std::memory_order_acquire);
  return position_in(producer_).load(std::memory_order_acquire) - released;
}

void Ring::begin() { end_ = position_in(producer_).load(std::memory_order_acquire); }

std::span<const std::byte> Ring::front() {
  while (position_ < end_) {
    const std::byte* header = data_ + (position_ & (size_ - 1));
    auto* length_word = const_cast<std::uint32_t*>(reinterpret_cast<const std::uint32_t*>(header));
    const std::uint32_t word = std::atomic_ref<std::uint32_t>(*length_word).load(std::memory_order_acquire);
    if (word & BPF_RINGBUF_BUSY_BIT) break;  // still being written
    const std::uint32_t length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    next_ = position_ + (length + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
    if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
      for (std::uint64_t ahead = 0; ahead < kAhead; ahead += kLine)
        __builtin_prefetch(data_ + ((next_ + ahead) & (size_ - 1)));
      return {header + BPF_RINGBUF_HDR_SZ, length};
    }
    position_ = next_;
  }
  return {};
}

void Ring::pass() {
  position_ = next_;
  if (position_ - released_ >= std::min(kReleaseBytes, size_ / 4)) release();
}

void Ring::release() {
  released_ = position_;
  position_in(consumer_).store(position_, std::memory_order_release);
}

}  // namespace tailcap::capture
