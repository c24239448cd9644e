#include "analyze/protocols/http1/chunks.h"

#include <algorithm>

namespace tailcap::protocols {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkStep Chunks::end_size_line() {
  if (digits_ == 0) return ChunkStep::invalid;
  state_ = left_ == 0 ? State::trailers : State::data;
  line_ = 0;
  digits_ = 0;
  return ChunkStep::need_more;
}

ChunkStep Chunks::push_trailer(std::string_view& in, model::Headers& trailers) {
  const auto end = in.find('\n');
  const std::string_view part = in.substr(0, end == in.npos ? in.size() : end + 1);
  in.remove_prefix(part.size());
  if ((line_ += part.size()) > kMaxTrailers) return ChunkStep::invalid;
  trailer_.append(part);
  if (end == part.npos) return ChunkStep::need_more;
  std::string_view line = trailer_;
  line.remove_suffix(line.size() > 1 && line[line.size() - 2] == '\r' ? 2 : 1);
  if (line.empty()) return ChunkStep::done;
  parse_field(line, trailers, framing_);
  trailer_.clear();
  return ChunkStep::need_more;
}

ChunkStep Chunks::push(std::string_view& in, model::Headers& trailers, bool pause) {
  while (!in.empty()) {
    ChunkStep step = ChunkStep::need_more;
    switch (state_) {
      case State::data: {
        const std::uint64_t n = std::min<std::uint64_t>(left_, in.size());
        in.remove_prefix(n);
        skip(n);
        break;
      }
      case State::after_data:
        // CR LF, or LF alone.
        if (in.front() == '\n')
          state_ = State::size;
        else if (in.front() != '\r' || line_++ > 0)
          return ChunkStep::invalid;
        if (state_ == State::size) line_ = 0;
        in.remove_prefix(1);
        break;
      case State::size: {
        const char c = in.front();
        if (const int digit = hex(c); digit >= 0 && line_ == digits_) {
          if (left_ >= kMaxChunk / 16 || ++line_ >= kMaxChunkLine) return ChunkStep::invalid;
          ++digits_;
          left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
          in.remove_prefix(1);
        } else if (c == '\n') {
          in.remove_prefix(1);
          step = end_size_line();
        } else if ((c == '\r' || c == ' ' || c == '\t') && digits_ > 0 && ++line_ < kMaxChunkLine) {
          in.remove_prefix(1);
        } else if (c == ';' && digits_ > 0) {
          state_ = State::extension;
        } else {
          return ChunkStep::invalid;
        }
        break;
      }
      case State::extension: {
        const auto end = in.find('\n');
        const std::size_t n = end == in.npos ? in.size() : end;
        if ((line_ += n) > kMaxChunkLine) return ChunkStep::invalid;
        in.remove_prefix(end == in.npos ? n : n + 1);
        if (end != in.npos) step = end_size_line();
        break;
      }
      case State::trailers:
        step = push_trailer(in, trailers);
        break;
    }
    if (step != ChunkStep::need_more || (pause && data_left() > 0)) return step;
  }
  return ChunkStep::need_more;
}

bool Chunks::skip(std::uint64_t n) {
  if (state_ != State::data || n > left_) return false;
  left_ -= n;
  body_ += n;
  if (left_ == 0) {
    state_ = State::after_data;
    line_ = 0;
  }
  return true;
}

}  // namespace tailcap::protocols
