#include "samples/load/response.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace tailcap::samples {
namespace {

constexpr std::size_t kMaxLine = 64 * 1024;

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

void ResponseReader::start(std::string_view method) {
  *this = {};
  head_only_ = method == "HEAD";
  state_ = State::head;
}

std::size_t ResponseReader::take(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::done && state_ != State::broken) {
    if (state_ == State::body || state_ == State::chunk_data || state_ == State::until_close) {
      const std::size_t rest = bytes.size() - at;
      const auto n =
          state_ == State::until_close ? rest : static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest));
      at += n;
      body_bytes_ += n;
      left_ -= state_ == State::until_close ? 0 : n;
      if (left_ == 0 && state_ == State::body) state_ = State::done;
      if (left_ == 0 && state_ == State::chunk_data) state_ = State::chunk_end;
      continue;
    }
    const std::size_t end = bytes.find('\n', at);
    line_.append(bytes, at, (end == bytes.npos ? bytes.size() : end) - at);
    if (line_.size() > kMaxLine) state_ = State::broken;
    if (end == bytes.npos) return bytes.size();
    at = end + 1;
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    line_done();
    line_.clear();
  }
  return at;
}

void ResponseReader::line_done() {
  switch (state_) {
    case State::head:
      if (status_ == 0) {
        const auto space = line_.find(' ');
        if (line_.compare(0, 7, "HTTP/1.") != 0 || space == line_.npos) {
          state_ = State::broken;
          return;
        }
        keep_alive_ = line_[7] == '1';
        std::from_chars(line_.data() + space + 1, line_.data() + line_.size(), status_);
        if (status_ < 100 || status_ > 999) state_ = State::broken;
      } else if (line_.empty()) {
        head_done();
      } else {
        header(line_);
      }
      return;
    case State::chunk_size: {
      const auto parsed = std::from_chars(line_.data(), line_.data() + line_.size(), left_, 16);
      if (parsed.ec != std::errc{})
        state_ = State::broken;
      else
        state_ = left_ == 0 ? State::trailer : State::chunk_data;
      return;
    }
    case State::chunk_end:
      state_ = line_.empty() ? State::chunk_size : State::broken;
      return;
    case State::trailer:
      if (line_.empty()) state_ = State::done;
      return;
    default:
      return;
  }
}

void ResponseReader::header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos) return;
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (same(name, "content-length")) {
    has_length_ = std::from_chars(value.data(), value.data() + value.size(), length_).ec == std::errc{};
  } else if (same(name, "transfer-encoding")) {
    chunked_ = same(value, "chunked");
  } else if (same(name, "connection")) {
    keep_alive_ = same(value, "keep-alive") || (keep_alive_ && !same(value, "close"));
  }
}

void ResponseReader::head_done() {
  if (status_ < 200 && status_ != 101) {  // an interim response: the final one follows
    const bool head_only = head_only_;
    *this = {};
    head_only_ = head_only;
    state_ = State::head;
    return;
  }
  left_ = length_;
  if (head_only_ || status_ == 204 || status_ == 304 || status_ == 101)
    state_ = State::done;
  else if (chunked_)
    state_ = State::chunk_size;
  else if (has_length_)
    state_ = length_ == 0 ? State::done : State::body;
  else
    state_ = State::until_close;
  if (state_ == State::until_close) keep_alive_ = false;
}

void ResponseReader::closed() { state_ = state_ == State::until_close ? State::done : State::broken; }

}  // namespace tailcap::samples
