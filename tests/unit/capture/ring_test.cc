// The reading end of a ring, over a file that is laid out as the kernel's map is.
#include "capture/rings/ring.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

namespace tailcap::capture {
namespace {

constexpr std::uint64_t kBytes = 1u << 16;

class Producer {
 public:
  Producer() : file_(memfd_create("ring", 0)), page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    if (ftruncate(file_, static_cast<off_t>(2 * page_ + 2 * kBytes)) != 0) throw std::bad_alloc();
    memory_ = mmap(nullptr, 2 * page_ + kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~Producer() {
    munmap(memory_, 2 * page_ + kBytes);
    close(file_);
  }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  int file() const { return file_; }
  // Adds a record; flags: BPF_RINGBUF_DISCARD_BIT, BPF_RINGBUF_BUSY_BIT.
  void write(const std::string& text, std::uint32_t flags = 0) {
    char* const at = static_cast<char*>(memory_) + 2 * page_ + position_;
    const std::uint32_t word = static_cast<std::uint32_t>(text.size()) | flags;
    std::memcpy(at, &word, sizeof word);
    std::memcpy(at + BPF_RINGBUF_HDR_SZ, text.data(), text.size());
    position_ += (text.size() + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
    std::memcpy(static_cast<char*>(memory_) + page_, &position_, sizeof position_);
  }

 private:
  int file_;
  std::size_t page_;
  void* memory_ = nullptr;
  std::uint64_t position_ = 0;
};

// The records of a round; after the first one, `later` happens.
template <class Later>
std::vector<std::string> round_of(Ring& ring, Later&& later) {
  std::vector<std::string> seen;
  ring.begin();
  for (auto front = ring.front(); !front.empty(); front = ring.front()) {
    seen.emplace_back(reinterpret_cast<const char*>(front.data()), front.size());
    ring.pass();
    if (seen.size() == 1) later();
  }
  return seen;
}

std::vector<std::string> round_of(Ring& ring) {
  return round_of(ring, [] {});
}

using Texts = std::vector<std::string>;

TEST(Ring, ARoundEndsWhereItBegan) {
  Producer producer;
  Ring ring(producer.file(), kBytes);
  EXPECT_EQ(round_of(ring), Texts{});
  producer.write("one");
  producer.write("two, which is longer");
  EXPECT_EQ(round_of(ring, [&] { producer.write("three"); }), (Texts{"one", "two, which is longer"}));
  EXPECT_EQ(round_of(ring), Texts{"three"});
  EXPECT_EQ(ring.pending(), 0u);
}

// With several rings, a record that came later could be older than one that another ring has already given.
TEST(Ring, DiscardedRecordsDoNotMakeARoundLonger) {
  Producer producer;
  Ring ring(producer.file(), kBytes);
  producer.write("first");
  for (int i = 0; i < 10; i++) producer.write(std::string(100, 'x'), BPF_RINGBUF_DISCARD_BIT);
  producer.write("last");
  EXPECT_EQ(round_of(ring, [&] { producer.write("later"); }), (Texts{"first", "last"}));
  EXPECT_EQ(round_of(ring), Texts{"later"});
}

TEST(Ring, DiscardedRecordsAtTheEndArePassed) {
  Producer producer;
  Ring ring(producer.file(), kBytes);
  producer.write("first");
  producer.write(std::string(100, 'x'), BPF_RINGBUF_DISCARD_BIT);
  EXPECT_EQ(round_of(ring, [&] { producer.write("later"); }), Texts{"first"});
  EXPECT_GT(ring.pending(), 0u);
  EXPECT_EQ(round_of(ring), Texts{"later"});
  EXPECT_EQ(ring.pending(), 0u);
}

TEST(Ring, ARecordThatIsBeingWrittenHoldsUpThoseBehindIt) {
  Producer producer;
  Ring ring(producer.file(), kBytes);
  producer.write("first");
  producer.write("not yet", BPF_RINGBUF_BUSY_BIT);
  producer.write("behind");
  EXPECT_EQ(round_of(ring), Texts{"first"});
  EXPECT_EQ(round_of(ring), Texts{});
}

}  // namespace
}  // namespace tailcap::capture
