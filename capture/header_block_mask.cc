#include "capture/header_block_mask.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "formats/hpack/huffman.h"

namespace tailcap::capture {

namespace hpack = formats::hpack;

namespace {

// RFC 9113, section 6, and the extensions' numbers up to PRIORITY_UPDATE.
enum Type : std::uint8_t { kData = 0, kHeaders = 1, kPriority = 2, kSettings = 4, kPushPromise = 5, kPing = 6, kGoaway = 7, kContinuation = 9, kPriorityUpdate = 16 };
constexpr std::uint8_t kEndHeaders = 0x4, kPadded = 0x8, kHasPriority = 0x20;
// Nobody sends frames that are longer without having been asked to; what claims to be is no frame.
constexpr std::uint32_t kPlausibleFrame = 1u << 20;
// RFC 7541, appendix A: authorization, cookie, proxy-authorization, set-cookie.
constexpr std::array<std::uint64_t, 4> kSecretIndices = {23, 32, 49, 55};
constexpr std::uint64_t kStaticEntries = 61;
constexpr std::size_t kLongestSecret = 19;
// Entries whose names are remembered. Older ones count as credentials.
constexpr std::size_t kMaxEntries = 4096;
constexpr std::size_t kMaxIntegerBits = 28;  // longer lengths and indices are an attack (RFC 7541, section 5.1)

bool secret_name(std::string_view name, bool coded) {
  static constexpr std::array<std::string_view, 5> kNames = {"authorization", "proxy-authorization", "cookie",
                                                             "set-cookie", "x-api-key"};
  static const std::array<std::string, 5> kCoded = [] {
    std::array<std::string, 5> all;
    for (std::size_t i = 0; i < all.size(); i++) hpack::huffman_encode(kNames[i], all[i]);
    return all;
  }();
  // The code is one to one, so equal names have equal codes.
  if (coded) return std::find(kCoded.begin(), kCoded.end(), name) != kCoded.end();
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::uint32_t big_endian(const unsigned char* p, int n) {
  std::uint32_t v = 0;
  for (int i = 0; i < n; i++) v = v << 8 | p[i];
  return v;
}

// n lengths of codes that sum to `bits`, telling as little as can be of the ones given: zeros and ampersands, where that
// comes out even.
void choose_lengths(std::vector<std::uint8_t>& lengths, std::size_t bits) {
  const std::size_t extra = bits - 5 * lengths.size();
  if (extra > 3 * lengths.size()) {
    std::sort(lengths.begin(), lengths.end());
    return;
  }
  std::fill(lengths.begin(), lengths.end(), std::uint8_t{5});
  std::size_t i = 0;
  for (; i < extra / 3; i++) lengths[i] = 8;
  if (extra % 3 > 0) lengths[i] = static_cast<std::uint8_t>(5 + extra % 3);
}

class BitWriter {
 public:
  BitWriter(std::string& bytes, std::size_t at) : bytes_(bytes), at_(at) {}
  void put(std::uint32_t code, unsigned length) {
    for (unsigned i = length; i-- > 0; at_++) {
      const auto bit = static_cast<unsigned char>(0x80u >> (at_ % 8));
      auto& byte = reinterpret_cast<unsigned char&>(bytes_[at_ / 8]);
      byte = static_cast<unsigned char>((code >> i & 1) != 0 ? byte | bit : byte & ~bit);
    }
  }

 private:
  std::string& bytes_;
  std::size_t at_;
};

}  // namespace

bool HeaderBlockMask::frame_begins(std::string_view bytes) {
  if (bytes.size() < 9) return false;
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto length = big_endian(p, 3), stream = big_endian(p + 5, 4);
  if (length > kPlausibleFrame || stream >> 31 != 0) return false;
  switch (p[3]) {
    case kSettings:
      return stream == 0 && length % 6 == 0;
    case kPing:
      return stream == 0 && length == 8;
    case kGoaway:
      return stream == 0 && length >= 8;
    case 8:  // WINDOW_UPDATE
      return length == 4;
    case kData:
    case kHeaders:
    case kPushPromise:
    case kContinuation:
      return stream != 0;
    case kPriority:
      return stream != 0 && length == 5;
    case 3:  // RST_STREAM
      return stream != 0 && length == 4;
    case kPriorityUpdate:
      return stream == 0 && length >= 4;
    default:
      return false;
  }
}

void HeaderBlockMask::resume() {
  lost_ = false;
  preface_ = have_ = left_ = 0;
  part_ = Part::header;
  field_ = Field::start;
  in_integer_ = false;
  entries_.clear();  // unknown entries count as credentials
}

void HeaderBlockMask::skip(std::uint64_t n) {
  if (lost_ || n == 0) return;
  // Only what needs no masking can be passed unseen: names and lengths inside a header block would be missing later.
  if (preface_ > 0 || part_ != Part::rest || n > left_) {
    lost_ = true;
    return;
  }
  left_ -= static_cast<std::uint32_t>(n);
  if (left_ == 0) next_part();
}

void HeaderBlockMask::begin_frame() {
  left_ = big_endian(header_, 3);
  const std::uint8_t type = header_[3], flags = header_[4];
  padding_ = prefix_ = 0;
  end_headers_ = (flags & kEndHeaders) != 0;
  have_ = 0;
  // A header block goes on in nothing but CONTINUATION.
  if ((field_ != Field::start || in_integer_) && type != kContinuation) {
    lost_ = true;
    return;
  }
  const bool padded = (type == kHeaders || type == kPushPromise) && (flags & kPadded) != 0;
  if (type == kHeaders && (flags & kHasPriority) != 0) prefix_ = 5;
  if (type == kPushPromise) prefix_ = 4;
  if (type != kHeaders && type != kPushPromise && type != kContinuation) part_ = Part::rest;
  else part_ = padded ? Part::pad_length : prefix_ > 0 ? Part::prefix : Part::fragment;
  if (left_ == 0) next_part();
}

// The payload is at an end.
void HeaderBlockMask::next_part() {
  if (part_ == Part::fragment && end_headers_ && (field_ != Field::start || in_integer_)) lost_ = true;
  part_ = Part::header;
}

std::size_t HeaderBlockMask::scan(std::string_view bytes, std::size_t base, std::vector<Edit>& edits) {
  std::size_t at = std::min(preface_, bytes.size());
  preface_ -= at;
  while (at < bytes.size() && !lost_) {
    if (part_ == Part::header) {
      header_[have_++] = static_cast<unsigned char>(bytes[at++]);
      if (have_ == sizeof header_) begin_frame();
      continue;
    }
    const std::size_t here = std::min<std::size_t>(bytes.size() - at, left_);
    std::size_t done = here;
    switch (part_) {
      case Part::header:
        break;
      case Part::pad_length:
        padding_ = static_cast<unsigned char>(bytes[at]);
        done = 1;
        if (padding_ + prefix_ + 1 > left_) lost_ = true;
        part_ = prefix_ > 0 ? Part::prefix : Part::fragment;
        break;
      case Part::prefix:
        done = std::min<std::size_t>(here, prefix_);
        prefix_ -= static_cast<std::uint32_t>(done);
        if (prefix_ == 0) part_ = Part::fragment;
        break;
      case Part::fragment:
        done = std::min<std::size_t>(here, left_ - padding_);
        if (done > 0) done = scan_fragment(bytes.substr(at, done), base + at, edits);
        break;
      case Part::rest:
        break;
    }
    at += done;
    left_ -= static_cast<std::uint32_t>(done);
    if (lost_) break;
    if (left_ == 0) next_part();
    else if (part_ == Part::fragment && left_ == padding_) {
      if (end_headers_ && (field_ != Field::start || in_integer_)) lost_ = true;
      part_ = Part::rest;
    }
  }
  return at;
}

std::size_t HeaderBlockMask::scan_fragment(std::string_view bytes, std::size_t base, std::vector<Edit>& edits) {
  std::size_t at = 0;
  while (at < bytes.size() && !lost_) {
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    if (in_integer_) {
      at++;
      number_ += std::uint64_t{byte & 0x7fu} << shift_;
      shift_ += 7;
      if (shift_ > kMaxIntegerBits) lost_ = true;
      else if ((byte & 0x80) == 0) integer_done();
      continue;
    }
    switch (field_) {
      case Field::start:
        begin_field(byte);
        at++;
        break;
      case Field::index:
        assert(!"an index is read as an integer");
        break;
      case Field::name_length:
      case Field::value_length:
        coded_ = (byte & 0x80) != 0;
        at++;
        begin_integer(byte, 7, field_);
        break;
      case Field::name:
        name_byte(bytes[at++]);
        break;
      case Field::value: {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(string_left_, bytes.size() - at));
        if (secret_) overwrite(bytes.substr(at, n), base + at, edits);
        at += n;
        string_left_ -= n;
        if (string_left_ == 0) end_value();
        break;
      }
    }
  }
  return at;
}

void HeaderBlockMask::begin_integer(std::uint8_t byte, unsigned prefix_bits, Field then) {
  field_ = then;
  const std::uint64_t most = (1u << prefix_bits) - 1;
  number_ = byte & most;
  shift_ = 0;
  in_integer_ = number_ == most;
  if (!in_integer_) integer_done();
}

// RFC 7541, section 6.
void HeaderBlockMask::begin_field(std::uint8_t byte) {
  indexed_ = adds_ = secret_ = false;
  if ((byte & 0x80) != 0) {
    indexed_ = true;
    begin_integer(byte, 7, Field::index);
  } else if ((byte & 0x40) != 0) {
    adds_ = true;
    begin_integer(byte, 6, Field::index);
  } else if ((byte & 0x20) != 0) {  // a new size of the table: says nothing about names
    indexed_ = true;
    begin_integer(byte, 5, Field::index);
  } else {
    begin_integer(byte, 4, Field::index);
  }
}

void HeaderBlockMask::integer_done() {
  in_integer_ = false;
  switch (field_) {
    case Field::index:
      if (indexed_) {
        field_ = Field::start;
      } else if (number_ == 0) {
        field_ = Field::name_length;
      } else {
        if (number_ <= kStaticEntries) {
          secret_ = std::find(kSecretIndices.begin(), kSecretIndices.end(), number_) != kSecretIndices.end();
        } else {
          const std::uint64_t entry = number_ - kStaticEntries - 1;
          secret_ = entry >= entries_.size() || entries_[static_cast<std::size_t>(entry)];
        }
        field_ = Field::value_length;
      }
      break;
    case Field::name_length:
      name_.clear();
      string_left_ = number_;
      field_ = Field::name;
      if (string_left_ == 0) field_ = Field::value_length;
      break;
    case Field::value_length:
      string_left_ = number_;
      window_ = window_bits_ = 0;
      field_ = Field::value;
      if (string_left_ == 0) end_value();
      break;
    case Field::start:
    case Field::name:
    case Field::value:
      assert(!"no integer is read here");
  }
}

void HeaderBlockMask::name_byte(char c) {
  if (name_.size() <= kLongestSecret) name_.push_back(c);
  if (--string_left_ > 0) return;
  secret_ = secret_name(name_, coded_);
  field_ = Field::value_length;
}

void HeaderBlockMask::end_value() {
  field_ = Field::start;
  if (!adds_) return;
  entries_.push_front(secret_);
  if (entries_.size() > kMaxEntries) entries_.pop_back();
}

void HeaderBlockMask::overwrite(std::string_view bytes, std::size_t base, std::vector<Edit>& edits) {
  if (coded_) return overwrite_coded(bytes, base, edits);
  for (std::size_t i = 0; i < bytes.size(); i++) edits.push_back({base + i, '*'});
}

// Other codes in the place of these, as many and as long together.
void HeaderBlockMask::overwrite_coded(std::string_view bytes, std::size_t base, std::vector<Edit>& edits) {
  std::vector<std::uint8_t> lengths;
  std::size_t next = 0, at = 0, from = 0;  // byte to be loaded; bit reached, bit where overwriting begins
  bool divided = window_bits_ > 0;         // the first code began before these bytes
  const unsigned before = window_bits_;
  for (;;) {
    while (window_bits_ <= 56 && next < bytes.size()) {
      window_ |= std::uint64_t{static_cast<unsigned char>(bytes[next++])} << (56 - window_bits_);
      window_bits_ += 8;
    }
    const unsigned length = hpack::huffman_length(window_, window_bits_);
    if (length == 0) break;  // cut, or padding
    if (divided) {
      from = at = length - before;
      divided = false;
    } else {
      lengths.push_back(static_cast<std::uint8_t>(length));
      at += length;
    }
    window_ <<= length;
    window_bits_ -= length;
  }
  if (lengths.empty()) return;
  choose_lengths(lengths, at - from);
  std::string changed(bytes);
  BitWriter writer(changed, from);
  for (const auto length : lengths) writer.put(hpack::huffman_code(length).value(), length);
  for (std::size_t i = 0; i < bytes.size(); i++) {
    if (changed[i] != bytes[i]) edits.push_back({base + i, changed[i]});
  }
}

}  // namespace tailcap::capture
