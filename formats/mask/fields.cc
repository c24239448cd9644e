#include "formats/mask/fields.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "ground/http/http_start_line.h"

namespace tailcap::formats::mask {

namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

template <class F>
void elements(std::string_view list, F each) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const auto e = trim(list.substr(0, comma)); !e.empty()) each(e);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

constexpr std::uint8_t kControl = 1, kSlash = 2;
constexpr auto kMarks = [] {
  std::array<std::uint8_t, 256> marks{};
  for (std::size_t c = 0; c < 0x20; ++c) marks[c] = c == '\t' ? 0 : kControl;
  marks[0x7f] = kControl;
  marks['/'] = kSlash;
  return marks;
}();

// A control character, or the text after the target in a foreign request line that is mistaken for a value.
bool suspicious(std::string_view s) {
  std::uint8_t marks = 0;
  for (const char c : s) marks |= kMarks[static_cast<unsigned char>(c)];
  return (marks & kControl) != 0 || ((marks & kSlash) != 0 && s.find(" HTTP/1.") != s.npos);
}

bool same_name(std::string_view name, std::string_view framing) {
  return name.size() == framing.size() && std::equal(name.begin(), name.end(), framing.begin(), [](char a, char b) {
           return lower(a) == b || (a == '_' && b == '-');
         });
}

constexpr std::string_view kLength = "content-length", kCoding = "transfer-encoding";

// A field that says where a body ends, somewhere in the text. Some servers take '_' for '-'.
bool names_framing(std::string_view text) {
  for (const std::string_view name : {kLength, kCoding})
    for (std::size_t at = 0; at + name.size() <= text.size(); ++at)
      if (same_name(text.substr(at, name.size()), name)) return true;
  return false;
}

// A request line may begin in a cut value.
bool holds_target(std::string_view text) { return text.find(" /") != text.npos || text.find(" http") != text.npos; }

// A cut value goes on with this: or is it the next request, for a parser whose message has ended?
bool like_request(std::string_view text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('/')) return true;
  return ground::judge_start(line, end != text.npos, ground::Role::requests).what != ground::StartLine::What::neither;
}

}  // namespace

void Fields::begin(bool crlf) {
  framing = {};
  part_ = Part::start;
  kind_ = Value::masked;
  noted_ = Noted::no;
  shown_ = after_cr_ = odd_ = false;
  crlf_ = crlf;
  value_.clear();
  seen_ = 0;
}

// The first line of the bytes with its line feed; empty: it is cut, or too long to be remembered.
std::string_view line_of(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, FieldMemo::kMost).find('\n');
  return end == bytes.npos ? std::string_view() : bytes.substr(0, end + 1);
}

std::size_t Fields::feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  std::size_t at = 0;
  FieldMemo* const memo = rules.memo();
  const bool fresh = memo && seen_ == 0 && part_ == Part::start;
  if (fresh) at = known_head(bytes, base, sheet, *memo);
  const bool was_known = at > 0;
  constexpr std::size_t kNone = SIZE_MAX;
  std::size_t line = kNone, value_at = kNone;  // where the line under way begins, and its value
  hidden_.clear();
  simple_ = fresh;
  if (part_ == Part::value && shown_ && like_request(bytes)) shown_ = false;
  while (at < bytes.size() && part_ != Part::done) {
    switch (part_) {
      case Part::start: {
        const char c = bytes[at];
        if (c == '\r') {
          sheet.keep(base + at, base + at + 1);
          at++;
          part_ = Part::blank;
        } else if (c == '\n') {
          sheet.keep(base + at, base + at + 1);
          at++;
          note();
          framing.doubtful = framing.doubtful || crlf_;
          simple_ = false;
          part_ = Part::done;
        } else if (c == ' ' || c == '\t') {
          // Folded: some parsers take it as a continuation of the previous field, others as a field.
          shown_ = shown_ && noted_ != Noted::no;
          framing.doubtful = framing.doubtful || noted_ == Noted::length || noted_ == Noted::coding;
          odd_ = true;
          part_ = Part::value;
        } else {
          note();
          if (memo) {
            const std::string_view whole = line_of(bytes.substr(at));
            if (!whole.empty() && known(whole, at, base, sheet, *memo)) {
              at += whole.size();
              break;
            }
            line = at;
            value_at = kNone;
          }
          name_.clear();
          value_.clear();
          blank_ = false;
          part_ = Part::name;
        }
        break;
      }
      case Part::blank:
        if (bytes[at] == '\n') {
          sheet.keep(base + at, base + at + 1);
          at++;
          note();
          part_ = Part::done;
        } else {  // a bare CR
          shown_ = false;
          framing.contradictory = framing.doubtful = true;
          part_ = Part::value;
        }
        break;
      case Part::name:
        if (const std::size_t used = name(bytes.substr(at), base + at, sheet, rules); used > 0) {
          at += used;
          if (part_ == Part::value) value_at = at;
        }
        break;
      case Part::value:
        at += value(bytes.substr(at), base + at, sheet, rules);
        if (!memo || part_ != Part::start) break;
        if (line == kNone)
          simple_ = false;
        else
          learn(bytes, line, value_at, at, base, sheet, *memo);
        line = kNone;
        break;
      case Part::done:
        break;
    }
  }
  if (fresh && !was_known && done()) learn_head(at, base, sheet, *memo);
  if (done()) release(kKept);
  seen_ += at;
  return at;
}

void Fields::release(std::size_t than) {
  for (std::string* const text : {&name_, &value_, &judged_, &scratch_})
    if (text->capacity() > than) let_go_of(*text);
}

std::size_t Fields::known_head(std::string_view bytes, std::size_t base, Sheet& sheet, const FieldMemo& memo) {
  const FieldMemo::Head& head = memo.head(head_);
  if (!head.fits(bytes)) return 0;
  sheet.write(base, head.masked);
  framing = head.framing;
  part_ = Part::done;
  unlike_ = 0;
  return head.masked.size();
}

// Where each head has an id of its own, most are not kept.
void Fields::learn_head(std::size_t size, std::size_t base, const Sheet& sheet, FieldMemo& memo) {
  if (!simple_ || framing.contradictory || framing.doubtful || size > FieldMemo::kMostOfHead) return;
  if (++unlike_ > kUnlikeKept && unlike_ % kUnlikeKeptEvery != 0) return;
  head_ = memo.keep_head(sheet.result(base, size), hidden_, framing);
}

bool Fields::known(std::string_view line, std::size_t at, std::size_t base, Sheet& sheet, const FieldMemo& memo) {
  const FieldMemo::Line* const found = memo.find(line);
  if (!found) return false;
  sheet.write(base + at, found->masked());
  kind_ = found->kind;
  shown_ = found->shown;
  noted_ = static_cast<Noted>(found->noted);
  value_ = found->value();
  judged_.clear();
  begun_ = true;
  hides(at + found->hidden.begin, at + found->hidden.end);
  return true;
}

void Fields::hides(std::size_t begin, std::size_t end) {
  if (begin == end) return;
  simple_ = simple_ && end <= FieldMemo::kMostOfHead;
  if (simple_) hidden_.push_back({static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end)});
}

// What a line says of the framing is not in the memo, but for its value: note() reads that again. A line of which a
// part is masked because of what it holds is not remembered.
void Fields::learn(std::string_view bytes, std::size_t begin, std::size_t value, std::size_t end, std::size_t base,
                   const Sheet& sheet, FieldMemo& memo) {
  const std::string_view line = bytes.substr(begin, end - begin), masked = sheet.result(base + begin, line.size());
  if (value == SIZE_MAX || !line.ends_with("\r\n")) {
    simple_ = false;
    return;
  }
  const std::size_t text_end = line.size() - 2;
  FieldMemo::Hidden hidden;
  if (masked != line) {
    const bool whole = kind_ == Value::masked && noted_ == Noted::no;
    simple_ = simple_ && whole;
    if (!whole) return;
    hides(value, begin + text_end);
    if (line.size() > FieldMemo::kMost) return;
    hidden = {static_cast<std::uint16_t>(value - begin), static_cast<std::uint16_t>(text_end)};
  }
  if (framing.contradictory || framing.doubtful || line.size() > FieldMemo::kMost) return;
  FieldMemo::Line& out = memo.keep(line, masked, hidden);
  out.kind = kind_;
  out.shown = shown_;
  out.noted = static_cast<std::uint8_t>(noted_);
  out.value_end = static_cast<std::uint8_t>(text_end);
  out.value_begin = static_cast<std::uint8_t>(text_end - value_.size());
}

// A name is kept only if a colon follows it, or the bytes end and some known name begins so: what has no colon may be
// anything.
std::size_t Fields::name(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  std::size_t end = 0;
  while (!blank_ && end < bytes.size() && is_token(bytes[end])) end++;
  const std::size_t had = name_.size(), added = std::min(end, kMaxName + 1 - had);
  name_.append(bytes, 0, added);
  std::transform(name_.begin() + static_cast<std::ptrdiff_t>(had), name_.end(),
                 name_.begin() + static_cast<std::ptrdiff_t>(had), lower);
  std::size_t blanks = end;
  while (blanks < bytes.size() && (bytes[blanks] == ' ' || bytes[blanks] == '\t')) blanks++;
  const bool cut = blanks == bytes.size();
  const bool good = name_.size() <= kMaxName && !name_.empty() && (cut || bytes[blanks] == ':');
  if (!good) {
    shown_ = false;
    noted_ = Noted::no;
    // A parser may take this line for a field that determines the message's end.
    if (name_.starts_with(kLength) || name_.starts_with(kCoding)) framing.contradictory = true;
    odd_ = true;
    value_ = name_;
    part_ = Part::value;
    return 0;
  }
  if (cut) {
    blank_ = blank_ || blanks > end;
    if (rules.begins_name(name_))
      sheet.keep(base, base + blanks);
    else
      sheet.hide(base, base + blanks);
    return blanks;
  }
  sheet.keep(base, base + blanks + 1);
  if (!rules.keeps_name(name_)) sheet.write(base, std::string(end, '*'));
  blank_ = blank_ || blanks > end;
  name_done(rules);
  return blanks + 1;
}

void Fields::name_done(const Rules& rules) {
  kind_ = rules.of(name_);
  shown_ = kind_ != Value::masked;
  begun_ = false;
  judged_.clear();
  const std::string_view name = name_;  // its comparisons look at the length first
  noted_ = name == kLength          ? Noted::length
           : name == kCoding        ? Noted::coding
           : name == "expect"       ? Noted::expect
           : name == "upgrade"      ? Noted::upgrade
           : name == "content-type" ? Noted::type
                                    : Noted::no;
  doubt_spelling();
  part_ = Part::value;
}

// With blanks before its colon, or with '_', some take it for the field and others do not.
void Fields::doubt_spelling() {
  const bool plain = noted_ == Noted::length || noted_ == Noted::coding;
  if (plain ? blank_ : same_name(name_, kLength) || same_name(name_, kCoding)) framing.doubtful = true;
}

// A value that is seen in pieces is judged again with each of them; bytes written before do not change.
void Fields::judge(std::string_view text, std::size_t base, bool last, Sheet& sheet, const Rules& rules) {
  if (judged_.size() + text.size() > kMaxJudged) {
    shown_ = false;
    sheet.hide(base, base + text.size());
    return;
  }
  const Extent extent{judged_.size(), !begun_, last};
  if (!last) judged_.append(text);
  scratch_.assign(last ? text : std::string_view(judged_));
  if (last && extent.judged > 0) scratch_.insert(0, judged_);
  rules.judge(kind_, scratch_, extent);
  sheet.write(base, std::string_view(scratch_).substr(extent.judged));
}

std::size_t Fields::value(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  const bool cr_before = std::exchange(after_cr_, false);
  if (cr_before && bytes[0] != '\n') {  // a bare CR, at the end of the previous bytes
    shown_ = false;
    framing.doubtful = true;
  }
  const void* found = std::memchr(bytes.data(), '\n', bytes.size());
  const std::size_t end =
      found ? static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data()) : bytes.size();
  const std::size_t stop = end > 0 && bytes[end - 1] == '\r' ? end - 1 : end;
  std::string_view text = bytes.substr(0, stop);
  if ((noted_ != Noted::no || odd_) && value_.size() < kMaxNoted) value_.append(text);
  const bool bare_lf = found && stop == end && !(cr_before && end == 0);
  if ((bare_lf && crlf_) || text.find('\r') != text.npos || text.find('\0') != text.npos) framing.doubtful = true;
  if (shown_ && (suspicious(text) || (!found && holds_target(text)))) {
    shown_ = false;
    if (noted_ != Noted::no) framing.contradictory = true;
  }
  if (!shown_) {
    sheet.hide(base, base + stop);
  } else if (kind_ == Value::kept) {
    sheet.keep(base, base + stop);
  } else {
    judge(text, base, found != nullptr, sheet, rules);
  }
  begun_ = true;
  sheet.keep(base + stop, base + end);
  if (!found) {
    after_cr_ = stop < end;
    return end;
  }
  sheet.keep(base + end, base + end + 1);
  part_ = Part::start;
  return end + 1;
}

// The current field is complete.
void Fields::note() {
  const std::string_view all = trim(value_);
  const bool cut = value_.size() >= kMaxNoted;
  if (std::exchange(odd_, false) && (cut || names_framing(value_))) framing.doubtful = true;
  switch (std::exchange(noted_, Noted::no)) {
    case Noted::no:
      break;
    case Noted::length: {
      bool any = false;
      elements(all, [&](std::string_view e) {
        any = true;
        std::uint64_t n = 0;
        const bool number =
            e.size() <= 18 && std::all_of(e.begin(), e.end(), [](char c) { return c >= '0' && c <= '9'; });
        for (const char c : number ? e : std::string_view()) n = n * 10 + static_cast<std::uint64_t>(c - '0');
        framing.doubtful = framing.doubtful || framing.length;
        if (!number || (framing.length && *framing.length != n))
          framing.contradictory = true;
        else
          framing.length = n;
      });
      if (!any || cut) framing.contradictory = true;
      break;
    }
    case Noted::coding:
      // Anything but the one word, once.
      framing.doubtful =
          framing.doubtful || cut || framing.chunked || framing.other_coding || !same_name(all, "chunked");
      elements(all, [&](std::string_view e) {
        std::string name(trim(e.substr(0, e.find(';'))));
        std::transform(name.begin(), name.end(), name.begin(), lower);
        framing.chunked = name == "chunked";
        framing.other_coding = !framing.chunked;
      });
      break;
    case Noted::expect:
      framing.expects = true;
      break;
    case Noted::upgrade:
      framing.upgrade = true;
      elements(all, [&](std::string_view e) {
        framing.h2c = framing.h2c || (e.size() == 3 && lower(e[0]) == 'h' && e[1] == '2' && lower(e[2]) == 'c');
      });
      break;
    case Noted::type: {
      std::string type(all.substr(0, 32));
      std::transform(type.begin(), type.end(), type.begin(), lower);
      framing.web = type.starts_with("application/grpc-web");
      framing.web_text = type.starts_with("application/grpc-web-text");
      break;
    }
  }
  value_.clear();
}

}  // namespace tailcap::formats::mask
