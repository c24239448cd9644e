#include "ground/http/preamble.h"

#include <algorithm>

namespace tailcap::ground {

namespace {

using Part = Preamble::Part;
using Piece = Preamble::Piece;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kEmptyLines = 4;  // at most, at the beginning of the signature
constexpr std::string_view kWord = "PROXY ";
constexpr std::string_view kFamilies[] = {"TCP4 ", "TCP6 ", "UNKNOWN"};
// A capture that was shared has asterisks instead of addresses.
constexpr std::string_view kAddress = "0123456789abcdefABCDEF.: *";

bool begins_alike(std::string_view a, std::string_view b) { return a.starts_with(b.substr(0, a.size())); }

// Bytes of two addresses and two ports, by the byte that says family and transport.
std::uint32_t address_bytes(unsigned char family) {
  switch (family >> 4) {
    case 1:
      return 12;
    case 2:
      return 36;
    default:  // paths of UNIX sockets may say anything
      return 0;
  }
}

}  // namespace

std::string_view Preamble::undecided() const {
  const std::string_view all(text_, have_);
  // Empty lines are over when anything else follows; so are those that could have begun the signature.
  return state_ == State::signature && have_ <= kEmptyLines ? std::string_view() : all;
}

Piece Preamble::next(std::string_view bytes) {
  if (state_ == State::block) {
    const bool address = addresses_ > 0;
    const auto n = std::min<std::size_t>(bytes.size(), address ? addresses_ : left_);
    left_ -= static_cast<std::uint32_t>(n);
    if (address) addresses_ -= static_cast<std::uint32_t>(n);
    if (left_ == 0) state_ = State::border;
    return {address ? Part::address : Part::extension, n};
  }
  const char c = bytes[0];
  if (state_ == State::signature && have_ <= kEmptyLines && c != kSignature[have_]) {
    state_ = State::border;
    have_ = 0;
  }
  switch (state_) {
    case State::border:
      if (c == '\n') return {Part::constant, 1};
      if (c == kSignature[0]) {
        state_ = State::signature;
        have_ = 0;
        return in_signature(c);
      }
      if (c != kWord[0]) return {};
      state_ = State::line;
      have_ = 0;
      return in_line(c);
    case State::signature:
      return in_signature(c);
    case State::line:
      return in_line(c);
    case State::header:
      return in_header(c);
    case State::block:
      break;
  }
  return {};
}

Piece Preamble::in_signature(char c) {
  if (c != kSignature[have_]) return {};
  text_[have_++] = c;
  if (have_ == kSignature.size()) state_ = State::header;
  return {Part::constant, 1};
}

Piece Preamble::in_header(char c) {
  const auto octet = static_cast<unsigned char>(c);
  // Version 2, and a command; then a family and a transport.
  if (have_ == 12 && (octet >> 4 != 2 || (octet & 15) > 1)) return {};
  if (have_ == 13 && (octet >> 4 > 3 || (octet & 15) > 2)) return {};
  text_[have_++] = c;
  if (have_ == kHeader) begin_block();
  return {Part::constant, 1};
}

void Preamble::begin_block() {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text_[i]); };
  left_ = static_cast<std::uint32_t>(at(14)) << 8 | at(15);
  const bool local = (at(12) & 15) == 0;  // then a receiver ignores what follows
  addresses_ = local ? 0 : address_bytes(at(13));
  if (addresses_ > left_) addresses_ = 0;
  have_ = 0;
  state_ = left_ > 0 ? State::block : State::border;
}

bool Preamble::line_goes_on(char c) const {
  if (have_ < kWord.size()) return c == kWord[have_];
  const std::string_view rest = std::string_view(text_, have_).substr(kWord.size());
  if (rest.ends_with('\r')) return c == '\n';
  return std::any_of(std::begin(kFamilies), std::end(kFamilies), [&](std::string_view family) {
    if (!begins_alike(rest, family)) return false;
    if (rest.size() < family.size()) return c == family[rest.size()];
    return c == '\r' || c == '\n' || kAddress.find(c) != kAddress.npos;
  });
}

Piece Preamble::in_line(char c) {
  if (have_ == kMaxLine || !line_goes_on(c)) return {};
  const std::string_view rest = std::string_view(text_, have_).substr(std::min(have_, kWord.size()));
  const bool behind_family = std::any_of(std::begin(kFamilies), std::end(kFamilies),
                                         [&](std::string_view family) { return rest.starts_with(family); });
  const bool address = behind_family && c != '\r' && c != '\n';
  text_[have_++] = c;
  if (c == '\n') {
    have_ = 0;
    state_ = State::border;
  }
  return {address ? Part::address : Part::constant, 1};
}

bool Preamble::skip(std::uint64_t n) {
  if (n == 0) return true;
  if (state_ != State::block || n > left_) return false;
  left_ -= static_cast<std::uint32_t>(n);
  addresses_ -= static_cast<std::uint32_t>(std::min<std::uint64_t>(addresses_, n));
  if (left_ == 0) state_ = State::border;
  return true;
}

Begun after_preamble(std::string_view begin) {
  Preamble preamble;
  Begun out;
  for (std::size_t at = 0; at < begin.size();) {
    const Piece piece = preamble.next(begin.substr(at));
    if (piece.part == Part::none) return {at - preamble.undecided().size(), true};
    at += piece.size;
    if (preamble.at_border()) out.preamble = at;
  }
  if (preamble.left() > 0) out.preamble = begin.size() + preamble.left();
  return out;
}

}  // namespace tailcap::ground
