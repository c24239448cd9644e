#include "formats/follow/follower.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "formats/block.h"
#include "formats/file/block_loader.h"
#include "formats/printable.h"

namespace tailcap::formats {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReadStep = 1u << 16;
constexpr auto kLookAgain = 50ms;  // whether a file has grown
// How far a beginning is searched for a block before it is rejected as no capture.
constexpr std::uint64_t kMostForeign = 1u << 20;

// What was read and not used yet.
class Held : public file::ByteSource {
 public:
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset >= size()) return 0;
    const std::size_t n = std::min<std::uint64_t>(out.size(), size() - offset);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(from_ + offset), n, out.begin());
    return n;
  }
  std::size_t size() const { return bytes_.size() - from_; }
  std::span<const std::byte> bytes() const { return std::span(bytes_).subspan(from_); }
  void take(std::size_t n) {
    from_ += n;
    if (from_ < bytes_.size() / 2 && from_ < (1u << 20)) return;
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(from_));
    from_ = 0;
  }
  void add(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void clear() {
    bytes_.clear();
    from_ = 0;
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t from_ = 0;
};

enum class Got { bytes, nothing, end };

}  // namespace

struct Follower::Impl {
  std::string name;
  int fd = -1;
  bool is_file = false, own = false;
  Held held;
  std::uint64_t used = 0;  // bytes before `held`
  file::BlockLoader loader{held};
  file::LoadedBlock block;
  std::optional<Preamble> preamble;
  std::uint32_t sequence = 0, jumped_to = 0;  // of the next block
  std::uint64_t damaged = 0, foreign = 0;
  Time first = kNoTime, last = kNoTime;
  bool gap = false;  // something is missing before the next block
  std::uint64_t gap_bytes = 0;
  bool no_more = false, ended = false;
  CaptureState state = CaptureState::truncated;
  Event made;

  explicit Impl(const std::string& path) : name(path == "-" ? "standard input" : printable(path)) {
    if (path == "-") {
      fd = STDIN_FILENO;
    } else {
      fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0 && errno == ENOENT) fd = open((path + ".partial").c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot open " + name);
      own = true;
    }
    struct stat status;
    if (fstat(fd, &status) != 0) throw std::system_error(errno, std::generic_category(), "cannot examine " + name);
    is_file = S_ISREG(status.st_mode);
    if (S_ISDIR(status.st_mode)) throw std::runtime_error(name + " is a directory; name the .tcap file in it");
  }
  ~Impl() {
    if (own) close(fd);
  }

  bool being_written() const {
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
      flock(fd, LOCK_UN);
      return false;
    }
    return errno == EWOULDBLOCK;
  }

  // Reads what is there. A file has ended when no program writes it.
  Got read_more() {
    if (pollfd one{fd, POLLIN, 0}; !is_file && poll(&one, 1, 0) <= 0) return Got::nothing;
    const bool growing = !is_file || being_written();  // asked first: what is written last is read then
    std::byte buffer[kReadStep];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n > 0) {
      held.add(std::span(buffer).first(static_cast<std::size_t>(n)));
      return Got::bytes;
    }
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return Got::nothing;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "cannot read " + name);
    if (!is_file) return Got::end;
    struct stat status;
    if (fstat(fd, &status) == 0 && static_cast<std::uint64_t>(status.st_size) < used + held.size()) return cut(status);
    return growing ? Got::nothing : Got::end;
  }

  // The recorder takes back a block that a full disk has cut. What was used is never taken back.
  Got cut(const struct stat& status) {
    held.clear();
    if (static_cast<std::uint64_t>(status.st_size) < used || lseek(fd, static_cast<off_t>(used), SEEK_SET) < 0) {
      open_gap(0);
      return Got::end;
    }
    return being_written() ? Got::nothing : Got::end;
  }

  // Until there may be more. False: a signal, or the time is over.
  bool wait(Duration left) const {
    if (left.count() <= 0) return false;
    const auto step = is_file ? std::min<Duration>(left, kLookAgain) : left;
    if (is_file) {
      const timespec t{step.count() / 1'000'000'000, step.count() % 1'000'000'000};
      return nanosleep(&t, nullptr) == 0;
    }
    pollfd one{fd, POLLIN, 0};
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(step).count();
    return poll(&one, 1, static_cast<int>(std::min<std::int64_t>(ms, 60'000))) > 0;
  }

  std::span<const Event> make(Time time, Body body) {
    made = {time, {}, body};
    return {&made, 1};
  }

  // What is between the blocks before and after it is missing: its end is known when the next one is.
  void open_gap(std::uint64_t bytes) {
    damaged += !gap;
    gap = true;
    gap_bytes += bytes;
  }
  std::span<const Event> close_gap(Time until) {
    gap = false;
    return make(std::max(last, until), Damage{last, std::exchange(gap_bytes, 0)});
  }

  void drop(std::size_t n) {
    held.take(n);
    used += n;
  }

  // Throws where it is no capture.
  void foreign_bytes(std::size_t n) {
    drop(n);
    foreign += n;
    if (!preamble && (foreign > kMostForeign || no_more))
      throw std::runtime_error(name + " is not a tailcap capture. Captures are made by `tailcap record`");
  }

  // What can be made of the bytes that are there; empty: more are needed.
  std::span<const Event> use() {
    while (held.size() >= kFramedHeader && !finished()) {
      const auto header = decode_header(held.bytes());
      if (!header) {
        // A longer header of a later version may not be whole yet.
        if (held.size() < kMaxFramedHeader && !no_more) return {};
        std::size_t n = 1 + find_header(held.bytes().subspan(1));
        if (n == held.size() && !no_more) n -= kMaxFramedHeader - 1;  // one may begin in them
        foreign_bytes(n);
        if (preamble) open_gap(n);
        continue;
      }
      if (header->version > kFormatVersion && sequence == 0)
        throw std::runtime_error(name + " was written in format " + std::to_string(header->version) +
                                 ", this tailcap reads up to " + std::to_string(kFormatVersion) +
                                 "; use a later tailcap");
      if (held.size() < header->block_size()) {
        if (no_more && skip_into(*header)) continue;
        return {};
      }
      if (const auto events = use(*header); !events.empty()) return events;
    }
    return {};
  }

  // Another block begins inside one that is damaged: something between them was lost.
  bool skip_into(const BlockHeader& header) {
    const std::size_t start = 8 + header.header_size, size = header.block_size();
    const auto there = held.bytes().first(std::min<std::size_t>(held.size(), size + kMaxFramedHeader)).subspan(start);
    const std::size_t at = start + find_header(there);
    if (at >= std::min<std::size_t>(size, held.size())) return false;
    drop(at);
    open_gap(at);
    return true;
  }

  bool finished() const { return state != CaptureState::truncated; }

  std::span<const Event> use(const BlockHeader& header) {
    if (header.sequence < sequence || (header.is(BlockType::preamble) && sequence > 0)) {
      drop(header.block_size());
      open_gap(header.block_size());
      return {};
    }
    if (header.sequence > sequence && header.sequence != jumped_to) {  // some are missing
      jumped_to = header.sequence;
      open_gap(0);
    }
    if (!preamble) preamble.emplace();
    if (gap) return close_gap(header.first);
    file::IndexEntry entry;
    entry.bytes = header.block_size();
    entry.header = header;
    if (header.is(BlockType::preamble)) *preamble = loader.load_preamble(entry);
    loader.load(entry, block);
    if (!block.damage.empty() && skip_into(header)) return {};
    drop(header.block_size());
    // What is damaged and out of turn may be a piece of another place.
    if (block.damage.empty() || header.sequence == sequence) sequence = header.sequence + 1;
    if (header.is(BlockType::footer))
      state = (header.flags & kBlockRecovered) != 0 ? CaptureState::recovered : CaptureState::complete;
    if (!header.has_events()) {
      damaged += !block.damage.empty();
      return {};
    }
    if (!known(first) || header.first < first) first = header.first;
    last = std::max(last, header.last);
    if (block.damage.empty()) return block.events;
    ++damaged;
    return make(header.last, Damage{header.first, header.block_size()});
  }

  std::span<const Event> next(Duration patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!ended) {
      if (const auto events = use(); !events.empty()) return events;
      if (finished() || no_more) return end();
      const Got got = read_more();
      no_more = got == Got::end;
      if (got == Got::nothing && !wait(until - std::chrono::steady_clock::now())) return {};
    }
    return {};
  }

  std::span<const Event> end() {
    if (!preamble) throw std::runtime_error(name + " is empty, or no tailcap capture");
    if (!finished() && held.size() > 0) {  // cut short
      const auto header = decode_header(held.bytes());
      open_gap(held.size());
      drop(held.size());
      return close_gap(header ? header->last : last);
    }
    if (gap) return close_gap(last);
    ended = true;
    return make(last, CaptureEnd{state});
  }
};

Follower::Follower(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
Follower::~Follower() = default;

std::span<const Event> Follower::next(Duration patience) { return impl_->next(patience); }
bool Follower::ended() const { return impl_->ended; }
const std::optional<Preamble>& Follower::preamble() const { return impl_->preamble; }
Time Follower::first() const { return impl_->first; }
std::uint64_t Follower::damaged() const { return impl_->damaged; }

}  // namespace tailcap::formats
