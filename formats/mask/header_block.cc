#include "formats/mask/header_block.h"

#include <algorithm>
#include <array>

#include "ground/http/hpack_huffman.h"
#include "ground/http/hpack_static_table.h"

namespace tailcap::formats::mask {

namespace hpack = ground::hpack;

namespace {

constexpr std::size_t kMaxName = 256;         // coded; longer names are an attack
constexpr std::size_t kMaxValue = 64u << 10;  // of a value that is judged as a whole
constexpr std::size_t kMaxMedia = 64;
constexpr std::size_t kKept = 256;         // bytes of a text for which there is memory between two fields
constexpr std::size_t kMaxEntries = 4096;  // of the dynamic table; older ones are masked
constexpr unsigned kMaxIntegerBits = 28;   // longer lengths and indices are an attack (RFC 7541, section 5.1)
constexpr std::string_view kGrpc = "application/grpc";

}  // namespace

void HeaderBlock::begin() {
  field_ = Field::start;
  in_integer_ = false;
  type_ = Type::other;
}

void HeaderBlock::forget() {
  begin();
  let_go_of(entries_);
  let_go_of(media_);
  text_.release();
  release(0);
}

// Gives the memory of longer texts back.
void HeaderBlock::release(std::size_t than) {
  for (std::string* const text : {&name_, &value_, &scratch_})
    if (text->capacity() > than) let_go_of(*text);
}

bool HeaderBlock::feed(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  rules_ = &rules;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    if (in_integer_) {
      number_ += std::uint64_t{byte & 0x7fu} << shift_;
      shift_ += 7;
      if (shift_ > kMaxIntegerBits) return false;
      sheet.keep(base + at, base + at + 1);
      at++;
      if ((byte & 0x80) == 0 && !integer_done()) return false;
      continue;
    }
    switch (field_) {
      case Field::start:
      case Field::name_length:
      case Field::value_length:
        sheet.keep(base + at, base + at + 1);
        at++;
        if (field_ == Field::start) {
          begin_field(byte);
        } else {
          coded_ = (byte & 0x80) != 0;
          begin_integer(byte, 7, field_);
        }
        if (!in_integer_ && !integer_done()) return false;
        break;
      case Field::index:
        return false;  // an index is read as an integer
      case Field::name: {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(string_left_, bytes.size() - at));
        if (!name(bytes.substr(at, n), base + at, sheet, rules)) return false;
        at += n;
        break;
      }
      case Field::value: {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(string_left_, bytes.size() - at));
        string_left_ -= n;
        value(bytes.substr(at, n), base + at, sheet, rules);
        at += n;
        if (string_left_ == 0) end_value();
        break;
      }
    }
  }
  return true;
}

void HeaderBlock::begin_integer(std::uint8_t byte, unsigned prefix_bits, Field then) {
  field_ = then;
  const std::uint64_t most = (1u << prefix_bits) - 1;
  number_ = byte & most;
  shift_ = 0;
  in_integer_ = number_ == most;
}

// RFC 7541, section 6.
void HeaderBlock::begin_field(std::uint8_t byte) {
  indexed_ = adds_ = resizes_ = false;
  if ((byte & 0x80) != 0) {
    indexed_ = true;
    begin_integer(byte, 7, Field::index);
  } else if ((byte & 0x40) != 0) {
    adds_ = true;
    begin_integer(byte, 6, Field::index);
  } else if ((byte & 0x20) != 0) {
    resizes_ = true;
    begin_integer(byte, 5, Field::index);
  } else {
    begin_integer(byte, 4, Field::index);
  }
}

void HeaderBlock::took(const Entry& entry) {
  if (entry.type) type_ = entry.grpc ? Type::grpc : Type::other;
}

HeaderBlock::Entry HeaderBlock::entry_of(std::string_view name, const Rules& rules) const {
  return {rules.of(name), name == "content-type", false};
}

bool HeaderBlock::integer_done() {
  in_integer_ = false;
  switch (field_) {
    case Field::index:
      field_ = Field::start;
      if (resizes_ || (indexed_ && number_ <= 61)) return resizes_ || number_ > 0;
      entry_ = {};
      if (number_ == 0) {
        field_ = Field::name_length;
        return true;
      }
      if (number_ <= hpack::kStaticEntries) {
        entry_ = entry_of(hpack::static_entry(static_cast<std::uint32_t>(number_)).name, *rules_);
      } else {
        const std::uint64_t entry = number_ - hpack::kStaticEntries - 1;
        if (entry < entries_.size())
          entry_ = entries_[static_cast<std::size_t>(entry)];
        else if (indexed_ && type_ == Type::other)
          type_ = Type::unknown;  // it may be the content type
      }
      if (indexed_)
        took(entry_);
      else
        field_ = Field::value_length;
      return true;
    case Field::name_length:
      if (number_ > kMaxName || number_ == 0) return false;
      name_.clear();
      string_left_ = number_;
      field_ = Field::name;
      return true;
    case Field::value_length:
      string_left_ = string_all_ = number_;
      value_.clear();
      media_.clear();
      begun_ = false;
      text_.begin();
      field_ = Field::value;
      if (string_left_ == 0) end_value();
      return true;
    case Field::start:
    case Field::name:
    case Field::value:
      break;
  }
  return false;
}

// Only a valid name is kept: other bytes may be mistaken for one.
bool HeaderBlock::name(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  name_.append(bytes);
  string_left_ -= bytes.size();
  const auto bad = [](std::string_view s) {
    if (s.starts_with(':')) s.remove_prefix(1);
    return !std::all_of(s.begin(), s.end(), is_token);
  };
  if (!coded_ && bad(name_)) return false;
  // Without its whole name there is no way to know whether it is kept.
  const auto hide = [&] {
    if (!coded_) return sheet.write(base, std::string(bytes.size(), '*'));
    if (name_.size() == bytes.size()) text_.begin();
    text_.feed(bytes, string_left_ == 0, base, sheet, [](std::string& text, bool) {
      std::fill(text.begin(), text.end(), '*');
      return true;
    });
  };
  const bool pieces = string_left_ > 0 || name_.size() > bytes.size();
  if (string_left_ > 0) {
    if (rules.keeps_names())
      sheet.keep(base, base + bytes.size());
    else
      hide();
    return true;
  }
  std::string decoded = name_;
  if (coded_) {
    decoded.clear();
    if (!hpack::huffman_decode(name_, decoded, 2 * kMaxName) || bad(decoded)) return false;
  }
  if (rules.keeps_names() || (!pieces && rules.keeps_name(decoded)))
    sheet.keep(base, base + bytes.size());
  else
    hide();
  std::transform(decoded.begin(), decoded.end(), decoded.begin(), lower);
  entry_ = entry_of(decoded, rules);
  field_ = Field::value_length;
  return true;
}

// Replaces what is not to be kept of `text`; returns whether a character that follows would be hidden.
bool HeaderBlock::judge(std::string& text, bool more, const Rules& rules) {
  const Extent extent{value_.size(), !begun_, !more};
  begun_ = true;
  if (extent.first && extent.last) return rules.judge(entry_.value, text, extent);
  if (entry_.value == Value::masked || value_.size() + text.size() > kMaxValue) {
    std::fill(text.begin(), text.end(), '*');
    return true;
  }
  value_.append(text);
  scratch_ = value_;
  const bool hides = rules.judge(entry_.value, scratch_, extent);
  text.assign(scratch_, extent.judged);
  return hides;
}

void HeaderBlock::value(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  if (entry_.type && media_.size() < kMaxMedia) media_.append(bytes.substr(0, kMaxMedia));
  if (entry_.value == Value::kept) {
    sheet.keep(base, base + bytes.size());
  } else if (coded_) {
    text_.feed(bytes, string_left_ == 0, base, sheet,
               [&](std::string& text, bool more) { return judge(text, more, rules); });
  } else {
    std::string text(bytes);
    judge(text, string_left_ > 0, rules);
    sheet.write(base, text);
  }
}

void HeaderBlock::end_value() {
  field_ = Field::start;
  release(kKept);
  if (entry_.type) {
    std::string plain;
    if (coded_)
      hpack::huffman_decode(media_, plain, kMaxName);  // of a longer one, only its beginning
    else
      plain = media_;
    entry_.grpc = plain.starts_with(kGrpc) && !plain.starts_with("application/grpc-web");
  }
  took(entry_);
  if (!adds_) return;
  entries_.push_front(entry_);
  if (entries_.size() > kMaxEntries) entries_.pop_back();
}

}  // namespace tailcap::formats::mask
