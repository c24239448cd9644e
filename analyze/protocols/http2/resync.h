// Finds a frame border in the middle of a direction: after a loss, or where recording began late.
//
// Senders mostly begin a write with a frame, so the beginning of every run is a candidate. A candidate is accepted when
// kChain plausible frame headers follow each other, each exactly where the previous one says. In a connection that is
// known to be HTTP/2, one frame that fits the known streams is enough, if it ends where the run ends or where the next
// frame begins. Until then the candidate's runs are held, so that the frames that proved it are read as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "analyze/protocols/http1/lane.h"
#include "ground/http/http2_frame.h"

namespace tailcap::protocols::http2 {

using namespace ground::http2;

// How well a frame header fits the known state of a connection.
enum class Fit : std::uint8_t {
  no,  // its sender cannot send this
  possible,
  certain,  // it names a stream that is open or next, or it is a frame of fixed form
};
using FrameJudge = std::function<Fit(const FrameHeader&)>;

class Resync {
 public:
  static constexpr unsigned kChain = 3;
  static constexpr std::size_t kMaxHeldRuns = 256;
  static constexpr std::size_t kMaxHeldBytes = 256u << 10;

  // Largest frame that is plausible here; grows with SETTINGS_MAX_FRAME_SIZE of the receiver.
  void allow(std::uint32_t longest) { longest_ = longest > longest_ ? longest : longest_; }
  // True: a border is proved; take() from there. judge: uses the known state of the connection, if any.
  bool push(const model::ByteRun& run, const FrameJudge& judge = {});
  // Plausible headers in a row so far.
  unsigned headers() const { return seen_; }
  // The held runs are whole frames: the last one ends where the last run does.
  bool whole() const { return seen_ > 0 && have_ == 0 && block_ == 0 && next_ == expected_; }
  // The held runs contain at least one whole frame and the header of another, and the start of the next one was not
  // captured.
  bool hidden() const { return hidden_; }
  const std::vector<HeldRun>& held() const { return held_; }
  // The runs from the border on.
  std::vector<HeldRun> take();
  void clear();

 private:
  enum class Chain { holds, proved, broken, hidden };
  Chain follow(const model::ByteRun& run, const FrameJudge& judge);

  std::uint32_t longest_ = kSmallestMaxFrame;
  std::vector<HeldRun> held_;  // from the candidate on
  std::size_t held_bytes_ = 0;
  std::uint64_t expected_ = 0;  // where the next run begins unless bytes are missing
  std::uint64_t next_ = 0;      // where the next header must be
  char header_[kFrameHeader] = {};
  std::size_t have_ = 0;     // of that header
  unsigned seen_ = 0;        // plausible headers so far
  std::uint32_t block_ = 0;  // stream of an open header block
  bool hidden_ = false;
  bool certain_ = false;  // one of them fits for certain
};

}  // namespace tailcap::protocols::http2
