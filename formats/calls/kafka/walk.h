// A walk along the pieces of one header or body: what its next bytes are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/calls/kafka/wire.h"
#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::kafka {

// Bytes of one kind.
struct Run {
  std::size_t size = 0;
  Part part = Part::framing;
  Field field = Field::none;
  bool text_ends = false;
};

class Walk {
 public:
  void begin(Plan plan, std::uint8_t version, bool flexible);
  // What follows is not walked.
  void stop() { piece_ = end_ = nullptr; }
  void set_flexible(bool flexible) { flexible_ = flexible; }
  bool finished() const { return piece_ == end_; }
  // The bytes are not laid out as the plan says, or the place was lost.
  bool broken() const { return broken_; }

  // How many of the next bytes are of one kind, and of which. `bytes` is not empty, and the walk is not finished.
  Run look(std::string_view bytes) const;
  // Moves over the bytes of a run; `left`: what the message has behind them. A number that was completed is given by
  // its kind; otherwise Kind::end.
  Kind take(std::string_view bytes, std::uint64_t left);
  std::uint32_t told() const { return told_; }
  // Moves over n bytes that were not seen; how many of them lie behind the walk.
  std::uint64_t pass(std::uint64_t n);

 private:
  static constexpr std::size_t kDeepest = 4;
  static constexpr std::uint8_t kCompact = 5;  // a number of up to five bytes
  struct Loop {
    const Piece* first;
    std::uint32_t left;
  };
  enum class Tag : std::uint8_t { count, number, size, value };

  bool applies(const Piece& p) const { return version_ >= p.from && version_ <= p.to; }
  void await(std::uint8_t digits);
  void settle();
  void pay(std::uint64_t n);
  void next_tag();
  void counted(std::uint64_t left);
  void over_array();
  void fail();

  const Piece *piece_ = nullptr, *end_ = nullptr;
  std::uint8_t version_ = 0;
  bool flexible_ = false, broken_ = false;
  std::uint8_t digits_ = 0, seen_ = 0;  // of the number that is read; none: `need_` bytes are
  Tag tag_ = Tag::count;
  Part part_ = Part::value;
  Field field_ = Field::none;
  std::uint32_t number_ = 0, told_ = 0;
  std::uint32_t tags_ = 0;  // that still come
  std::uint64_t need_ = 0;
  std::size_t steps_ = 0, depth_ = 0;
  std::array<Loop, kDeepest> loops_{};
};

}  // namespace tailcap::formats::calls::kafka
