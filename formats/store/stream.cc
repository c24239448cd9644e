#include "formats/store/stream.h"

#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace tailcap::formats::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 100ms;
// A write of no more than this to a pipe that poll() calls writable does not block (PIPE_BUF).
constexpr std::size_t kAtOnce = 4096;

std::system_error failure(int error, std::uint64_t size) {
  const std::string after = " after " + std::to_string(size) + " bytes; what it has read can be read as a capture";
  return {error, std::generic_category(),
          error == EPIPE       ? "the reader of standard output has ended" + after
          : error == ETIMEDOUT ? "the reader of standard output has stalled" + after
                               : "cannot write to standard output" + after};
}

}  // namespace

class Stream::Sink : public file::ByteSink {
 public:
  Sink(int fd, Duration patience) : fd_(fd), patience_(patience) { (void)flock(fd, LOCK_EX | LOCK_NB); }

  void append(std::span<const std::byte> header, std::span<const std::byte> payload) override {
    // In one piece: a small pipe takes a block that fits into it, but not two halves of it.
    block_.assign(header.begin(), header.end());
    block_.insert(block_.end(), payload.begin(), payload.end());
    write(block_);
  }
  void sync() override {}
  void finish() override {}
  std::uint64_t size() const override { return size_.load(std::memory_order_relaxed); }
  void impatient(bool now) { impatient_.store(now, std::memory_order_relaxed); }

 private:
  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      wait();
      const ssize_t n = ::write(fd_, bytes.data(), std::min(bytes.size(), kAtOnce));
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) throw failure(errno, size());
      waited_ = {};
      size_.fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  void wait() {
    while (true) {
      pollfd one{fd_, POLLOUT, 0};
      if (poll(&one, 1, static_cast<int>(kLook / 1ms)) > 0) return;
      if (!impatient_.load(std::memory_order_relaxed)) continue;
      waited_ += kLook;
      if (waited_ >= patience_) throw failure(ETIMEDOUT, size());
    }
  }

  const int fd_;
  const Duration patience_;
  Duration waited_{};  // since a byte was written, while impatient
  std::atomic<bool> impatient_{true};
  std::vector<std::byte> block_;
  std::atomic<std::uint64_t> size_{0};
};

Stream::Stream(int fd, const Preamble& preamble, Duration patience) {
  auto sink = std::make_unique<Sink>(fd, patience);
  sink_ = sink.get();
  blocks_ = std::make_unique<file::BlockWriter>(std::move(sink));
  blocks_->write(preamble);
  sink_->impatient(false);
}
Stream::~Stream() = default;

void Stream::write(const columns::CollectedBlock& block, BlockType type, std::uint16_t stream) {
  blocks_->write(block, type, stream);
}
void Stream::finish(CaptureState state, Time ended) { blocks_->finish(state, ended); }
void Stream::end_soon() { sink_->impatient(true); }

}  // namespace tailcap::formats::store
