#include "formats/calls/kafka/walk.h"

#include <algorithm>

namespace tailcap::formats::calls::kafka {

namespace {

constexpr std::uint32_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

constexpr std::uint8_t digits_of(Kind kind) {
  switch (kind) {
    case Kind::text:
    case Kind::key:
    case Kind::client:
    case Kind::error:
    case Kind::acks:
    case Kind::api:
    case Kind::version:
      return 2;
    case Kind::kept:
    case Kind::hidden:
    case Kind::end:
      return 0;
    default:
      return 4;
  }
}

constexpr bool may_be_compact(Kind kind) {
  return kind == Kind::text || kind == Kind::key || kind == Kind::bytes || kind == Kind::array || kind == Kind::numbers;
}

}  // namespace

void Walk::begin(Plan plan, std::uint8_t version, bool flexible) {
  *this = Walk();
  piece_ = plan.data();
  end_ = piece_ + plan.size();
  version_ = version;
  flexible_ = flexible;
  settle();
}

void Walk::fail() {
  broken_ = true;
  stop();
}

void Walk::await(std::uint8_t digits) {
  digits_ = digits;
  seen_ = 0;
  number_ = 0;
}

// Stands on the next piece that has bytes.
void Walk::settle() {
  for (; piece_ != end_; ++piece_) {
    const Piece& p = *piece_;
    if (!applies(p) || (p.kind == Kind::tags && !flexible_)) continue;
    if (++steps_ > kMostSteps) return stop();
    if (p.kind == Kind::end) {
      Loop& loop = loops_[depth_ - 1];
      if (--loop.left > 0)
        piece_ = loop.first - 1;
      else
        --depth_;
      continue;
    }
    field_ = Field::none;
    part_ = p.kind == Kind::kept ? Part::framing : Part::value;
    need_ = p.size;
    tag_ = Tag::count;
    await(p.kind == Kind::tags || (flexible_ && may_be_compact(p.kind)) ? kCompact : digits_of(p.kind));
    return;
  }
}

// Behind the `end` of the array that the walk stands on.
void Walk::over_array() {
  std::size_t open = 0;
  for (; piece_ != end_; ++piece_) {
    if (!applies(*piece_)) continue;
    if (piece_->kind == Kind::array) ++open;
    if (piece_->kind == Kind::end && --open == 0) break;
  }
  if (piece_ != end_) ++piece_;
  settle();
}

Run Walk::look(std::string_view bytes) const {
  if (digits_ == 0) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(need_, bytes.size()));
    return {n, part_, field_, field_ != Field::none && n == need_};
  }
  if (digits_ == kCompact) {
    std::size_t n = 1;
    while (n < bytes.size() && n + seen_ < kCompact && byte_at(bytes, n - 1) >= 0x80) ++n;
    return {.size = n};
  }
  if (piece_->kind != Kind::error) return {.size = std::min<std::size_t>(bytes.size(), digits_ - seen_)};
  // The high byte says nothing: it is 0, or all ones with the code -1.
  Run run{.size = 1};
  if (seen_ == 0 && bytes.size() > 1 && bytes[0] == 0 && bytes[1] == 0) run.size = 2;
  if (seen_ == 1) {
    const std::uint32_t low = byte_at(bytes, 0);
    if ((number_ == 0 && low != 0) || (number_ == 0xff && low == 0xff)) run.field = Field::error_code;
    run.text_ends = run.field != Field::none;
  }
  return run;
}

Kind Walk::take(std::string_view bytes, std::uint64_t left) {
  if (digits_ == 0) {
    pay(bytes.size());
    return Kind::end;
  }
  bool whole = false;
  for (std::size_t i = 0; i < bytes.size(); ++i, ++seen_) {
    const std::uint32_t b = byte_at(bytes, i);
    if (digits_ != kCompact) {
      number_ = number_ << 8 | b;
      continue;
    }
    if (seen_ + 1 == kCompact && b > 0x0f) {
      fail();
      return Kind::end;
    }
    number_ |= (b & 0x7f) << (7 * seen_);
    whole = b < 0x80;
  }
  if (digits_ != kCompact) whole = seen_ == digits_;
  if (!whole) return Kind::end;
  const Kind kind = piece_->kind;
  if (may_be_compact(kind) || kind == Kind::client || kind == Kind::tags) {
    counted(left);
    return Kind::end;
  }
  told_ = number_;
  ++piece_;
  settle();
  return kind;
}

// A length or count is known.
void Walk::counted(std::uint64_t left) {
  const Kind kind = piece_->kind;
  if (kind == Kind::tags) {
    if (tag_ == Tag::number) {
      tag_ = Tag::size;
      return await(kCompact);
    }
    if (number_ > left) return fail();
    if (tag_ == Tag::count) {
      tags_ = number_;
      return next_tag();
    }
    tag_ = Tag::value;
    need_ = number_;
    digits_ = 0;
    return need_ == 0 ? next_tag() : static_cast<void>(0);
  }
  std::uint64_t n = number_;
  if (digits_ == kCompact)
    n -= n > 0 ? 1 : 0;  // 0 is null
  else if (n == (digits_ == 2 ? 0xffffu : 0xffffffffu))
    n = 0;
  if (kind == Kind::numbers) n *= piece_->size;
  if (n > left) return fail();
  digits_ = 0;
  if (kind == Kind::array) {
    if (n == 0) return over_array();
    if (depth_ == kDeepest) return fail();
    loops_[depth_++] = {++piece_, static_cast<std::uint32_t>(n)};
    return settle();
  }
  need_ = n;
  if (kind == Kind::key) {
    part_ = Part::name;
    field_ = Field::key;
  }
  if (n == 0) {
    ++piece_;
    settle();
  }
}

void Walk::next_tag() {
  if (tags_ == 0) {
    ++piece_;
    return settle();
  }
  --tags_;
  tag_ = Tag::number;
  await(kCompact);
}

void Walk::pay(std::uint64_t n) {
  need_ -= n;
  if (need_ > 0) return;
  if (piece_->kind == Kind::tags) return next_tag();
  ++piece_;
  settle();
}

std::uint64_t Walk::pass(std::uint64_t n) {
  while (n > 0 && !finished()) {
    if (digits_ != 0) {
      fail();
      break;
    }
    const std::uint64_t m = std::min(n, need_);
    // The rest of a key that was not seen from its beginning is none.
    part_ = Part::value;
    field_ = Field::none;
    pay(m);
    n -= m;
  }
  return n;
}

}  // namespace tailcap::formats::calls::kafka
