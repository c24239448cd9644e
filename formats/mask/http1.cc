#include "formats/mask/http1.h"

#include <algorithm>
#include <utility>

namespace tailcap::formats::mask {

using What = StartLine::What;

void Http1::lose() {
  state_ = State::seek;
  was_lost_ = true;
  sure_ = false;
  let_go_of(line_);
  fields_.release(0);
  chunks_.release();
  web_.reset();
}

void Http1::lose_for_good() {
  lose();
  barred_ = true;
}

// The bytes are not what has to follow. If nothing was missed, the sender's idea of the last message differs.
void Http1::broken() {
  if (sure_ && proved_ && role_ == Role::requests)
    lose_for_good();
  else
    lose();
}

// The next bytes are no message. If none was seen yet, this never was HTTP.
void Http1::refuse() {
  if (proved_ || role_ != Role::unknown) return broken();
  let_go_of(line_);
  turn_ = Turn::foreign;
}

void Http1::skip(std::uint64_t n) {
  if (n == 0) return;
  switch (state_) {
    case State::length:
      if (n > left_) return lose();
      doubtful_ = false;
      if (web_) web_->skip(n);
      left_ -= n;
      if (left_ == 0) message_done();
      return;
    case State::chunks:
      if (!chunks_.skip(n)) return lose();
      doubtful_ = false;
      if (web_) web_->skip(n);
      return;
    case State::until_close:
      if (web_) web_->skip(n);
      return;
    case State::seek:
      return;
    case State::start:
    case State::fields:
      return lose();
  }
}

std::size_t Http1::feed(std::string_view bytes, std::size_t base, bool begins_io, Questions& questions, Sheet& sheet,
                        const Rules& rules) {
  std::size_t at = 0;
  if (state_ == State::seek) {
    if (barred_ || !begins_io || !verified_start(bytes, role_)) {
      // If the beginning was not seen, the role was inferred. A message of the other role disproves it: both
      // directions carry text.
      const Role opposite = role_ == Role::requests ? Role::responses : Role::requests;
      if (begins_io && role_ != Role::unknown && !questions.whole && verified_start(bytes, opposite))
        turn_ = Turn::contradiction;
      sheet.blot(base, base + bytes.size());
      // The ends of such messages are known bytes without secrets: a reader recognises the end by them.
      for (const std::string_view end : {"\r\n0\r\n\r\n", "\r\n\r\n"}) {
        if (!bytes.ends_with(end)) continue;
        sheet.keep(base + bytes.size() - end.size(), base + bytes.size());
        break;
      }
      if (bytes.size() < 7 && bytes.find_first_not_of("\r\n0") == bytes.npos) sheet.keep(base, base + bytes.size());
      return bytes.size();
    }
    state_ = State::start;
    beginning_ = false;
  }
  while (at < bytes.size() && turn_ == Turn::none && state_ != State::seek) {
    const std::string_view rest = bytes.substr(at);
    if (doubtful_ && state_ != State::start && state_ != State::fields) {
      doubtful_ = false;
      if (verified_start(rest, role_) && (role_ == Role::responses || questions.refused)) message_done();
    }
    switch (state_) {
      case State::start:
        at += start(rest, base + at, sheet, rules);
        break;
      case State::fields:
        at += fields_.feed(rest, base + at, sheet, rules);
        if (fields_.done())
          head_done(questions);
        else if (fields_.too_long())
          broken();
        break;
      case State::length: {
        const std::size_t n = body_bytes(rest, base + at, left_, sheet, rules);
        left_ -= n;
        at += n;
        if (left_ == 0) message_done();
        break;
      }
      case State::chunks:
        if (const std::uint64_t data = chunks_.data_left(); data > 0) {
          const std::size_t n = body_bytes(rest, base + at, data, sheet, rules);
          chunks_.skip(n);
          at += n;
          break;
        }
        at += chunks_.feed(rest, base + at, sheet, rules);
        if (chunks_.done())
          message_done();
        else if (chunks_.broken())
          broken();
        break;
      case State::until_close:
        at += body_bytes(rest, base + at, rest.size(), sheet, rules);
        break;
      case State::seek:
        break;
    }
  }
  if (turn_ != Turn::none) return at;
  sheet.blot(base + at, base + bytes.size());
  return bytes.size();
}

std::size_t Http1::body_bytes(std::string_view bytes, std::size_t base, std::uint64_t most, Sheet& sheet,
                              const Rules& rules) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(most, bytes.size()));
  if (web_) web_->feed(bytes.substr(0, n), base, sheet, rules);
  return n;
}

std::size_t Http1::start(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  // Empty lines before a request are not part of it (RFC 9112, section 2.2).
  if (line_.empty() && role_ != Role::responses && (bytes[0] == '\r' || bytes[0] == '\n') &&
      (proved_ || role_ == Role::requests)) {
    sheet.keep(base, base + 1);
    return 1;
  }
  const std::size_t end = bytes.find('\n');
  const bool whole = end != bytes.npos;
  const std::size_t before = line_.size(), used = whole ? end + 1 : bytes.size();
  std::string_view line = bytes.substr(0, whole ? end : used);
  const bool pieces = before > 0 || !whole;
  if (pieces) {
    if (before + line.size() > kMaxLine) {
      refuse();
      return 0;
    }
    line_.append(line);
    line = line_;
  }
  const bool cr = whole && line.ends_with('\r');
  if (cr) line.remove_suffix(1);
  const StartLine judged = judge_start(line, whole, role_);
  const bool preface = judged.what == What::preface || (judged.what == What::possible && line.starts_with("PRI "));
  if (judged.what == What::neither || (preface && !beginning_)) {
    refuse();
    return 0;
  }
  show_start(judged, before, bytes.substr(0, used), base, whole, sheet, rules);
  if (!whole) return used;
  modern_ = line.ends_with(".1");
  let_go_of(line_);
  beginning_ = false;
  if (preface) {
    turn_ = Turn::http2;
    return used;
  }
  begin_head(judged, cr);
  return used;
}

// The whole target is judged again each time more of it is available; bytes written before do not change.
void Http1::show_start(const StartLine& line, std::size_t before, std::string_view bytes, std::size_t base, bool whole,
                       Sheet& sheet, const Rules& rules) {
  sheet.keep(base, base + bytes.size());
  const std::string_view all = line_.empty() ? bytes : std::string_view(line_);
  if (!rules.keeps_reasons() && all.starts_with("HTTP/")) {
    constexpr std::size_t kReason = 13;  // "HTTP/1.1 200 "
    const std::size_t from = std::max(kReason, before) - before;
    const std::size_t end = std::min(bytes.find_last_not_of("\r\n") + 1, bytes.size());
    if (from < end) sheet.write(base + from, std::string(end - from, '*'));
  }
  if (whole && line.what == What::request && line.target_begin > before + 1) {
    const std::size_t method_end = line.target_begin - 1;
    if (!rules.keeps_method(all.substr(0, method_end))) sheet.write(base, std::string(method_end - before, '*'));
  }
  if (line.target_end <= line.target_begin || line.target_end <= before) return;
  std::string target(all.substr(line.target_begin, line.target_end - line.target_begin));
  const std::size_t skip = before > line.target_begin ? before - line.target_begin : 0;
  rules.judge(Value::target, target, {skip, skip == 0, whole || line.target_whole});
  sheet.write(base + line.target_begin + skip - before, std::string_view(target).substr(skip));
}

void Http1::begin_head(const StartLine& line, bool crlf) {
  start_ = line;
  role_ = line.what == What::request ? Role::requests : Role::responses;
  proved_ = true;
  state_ = State::fields;
  fields_.begin(crlf);
}

void Http1::head_done(Questions& questions) {
  web_.reset();
  if (fields_.framing.web) web_ = std::make_unique<WebBody>(fields_.framing.web_text);
  if (role_ == Role::requests)
    request_done(questions);
  else
    response_done(questions);
}

void Http1::body(std::uint64_t length) {
  left_ = length;
  state_ = length == 0 ? State::start : State::length;
}

void Http1::request_done(Questions& questions) {
  const Framing& f = fields_.framing;
  heads_++;
  constexpr std::size_t kMaxAsked = 1024;  // more than any client pipelines
  if (questions.early > 0)
    questions.early--;
  else if (questions.asked.size() < kMaxAsked)
    questions.asked.push_back({start_.head, start_.connect, f.h2c, f.expects});
  doubtful_ = f.expects;
  questions.refused = false;
  // What RFC 9112, section 6.3, leaves to the server, or what servers are known to read differently.
  const bool both = f.chunked && f.length, old = f.chunked && !modern_;
  if (f.contradictory || f.doubtful || f.other_coding || both || old) {
    lose_for_good();
  } else if (f.chunked) {
    state_ = State::chunks;
    chunks_.begin(true);
  } else {
    body(f.length.value_or(0));
  }
}

void Http1::response_done(Questions& questions) {
  const Framing& f = fields_.framing;
  const int status = start_.status;
  if (status < 200 && status != 101) {
    doubtful_ = false;
    if (status == 100 && !questions.asked.empty()) questions.asked.front().continued = true;
    return message_done();
  }
  heads_++;
  server_errors_ += status >= 500;
  const bool known = !questions.asked.empty();
  const Questions::Question question = known ? questions.asked.front() : Questions::Question{};
  questions.refused = question.expects && !question.continued;
  if (known)
    questions.asked.erase(questions.asked.begin());
  else if (questions.whole)
    questions.early++;
  doubtful_ = !known;
  if (status == 101 || (question.connect && status < 300)) {
    doubtful_ = false;
    turn_ = status == 101 && question.h2c && f.h2c ? Turn::http2 : Turn::tunnel;
    return;
  }
  if (status == 204 || status == 304 || question.head) return message_done();
  if (f.chunked) {
    state_ = State::chunks;
    chunks_.begin(false);
  } else if (f.other_coding) {
    state_ = State::until_close;
  } else if (f.contradictory) {
    lose();
  } else if (f.length) {
    body(*f.length);
  } else {
    state_ = State::until_close;
  }
}

}  // namespace tailcap::formats::mask
