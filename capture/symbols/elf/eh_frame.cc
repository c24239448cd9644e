#include "capture/symbols/elf/eh_frame.h"

#include <algorithm>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxTable = 32u << 20;  // Chromium's is 20 MiB
// Encodings of addresses that compilers use for x86-64 (DW_EH_PE_…).
constexpr std::uint8_t kAbsolute8 = 0x00, kAbsolute4 = 0x03, kRelativeSigned4 = 0x1b, kRelativeSigned8 = 0x1c;

std::size_t pointer_size(std::uint8_t encoding) {
  switch (encoding & 0x0f) {
    case 0x03:
    case 0x0b:
      return 4;
    case 0x00:
    case 0x04:
    case 0x0c:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

std::string_view FrameBytes::take(std::size_t count) {
  if (count > bytes_.size()) {
    ok_ = false;
    bytes_ = {};
    return std::string_view();
  }
  const std::string_view out = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return out;
}

std::uint64_t FrameBytes::unsigned_leb() {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = number<std::uint8_t>();
    if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
    if (!ok_ || !(byte & 0x80)) return ok_ ? value : 0;
  }
}

std::int64_t FrameBytes::signed_leb() {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = number<std::uint8_t>();
    if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
    if (ok_ && (byte & 0x80)) continue;
    if (shift + 7 < 64 && (byte & 0x40)) value |= ~std::uint64_t{0} << (shift + 7);
    return ok_ ? static_cast<std::int64_t>(value) : 0;
  }
}

std::string_view FrameBytes::text() {
  const auto end = bytes_.find('\0');
  const std::string_view out = take(end == bytes_.npos ? bytes_.size() + 1 : end);
  take(1);
  return out;
}

EhFrame::EhFrame(const ElfFile& file) : file_(file) {
  const Section* section = file.section(".eh_frame");
  if (!section) return;
  table_ = file.contents(*section, kMaxTable);
  address_ = section->address;
}

std::optional<CommonFrame> EhFrame::common_at(std::uint64_t at) const {
  const std::string_view bytes(table_);
  if (at > bytes.size()) return std::nullopt;
  FrameBytes head(bytes.substr(at));
  const auto size = head.number<std::uint32_t>();
  FrameBytes in(head.take(size));
  if (in.number<std::uint32_t>() != 0) return std::nullopt;
  const auto version = in.number<std::uint8_t>();
  const std::string_view augmentation = in.text();
  if (version != 1 && version != 3) return std::nullopt;
  CommonFrame common;
  common.code_step = in.unsigned_leb();
  common.data_step = in.signed_leb();
  common.return_register = version == 1 ? in.number<std::uint8_t>() : in.unsigned_leb();
  if (!augmentation.empty()) {
    if (augmentation[0] != 'z') return std::nullopt;
    common.augmented = true;
    FrameBytes data(in.take(in.unsigned_leb()));
    for (const char c : augmentation.substr(1)) {
      if (c == 'R') {
        common.encoding = data.number<std::uint8_t>();
      } else if (c == 'L') {
        data.take(1);
      } else if (c == 'P') {
        const std::size_t pointer = pointer_size(data.number<std::uint8_t>());
        if (pointer == 0) return std::nullopt;
        data.take(pointer);
      } else if (c == 'S') {
        common.signal = true;
      } else if (c != 'B') {
        return std::nullopt;
      }
    }
    if (!data.ok()) return std::nullopt;
  }
  if (!in.ok()) return std::nullopt;
  common.instructions = in.rest();
  return common;
}

bool EhFrame::read(std::uint64_t body, std::uint64_t end, FunctionFrame& function) const {
  FrameBytes in(std::string_view(table_).substr(body, end - body));
  const std::uint64_t here = address_ + body;
  switch (common_->encoding) {
    case kRelativeSigned4:
      function.address = here + static_cast<std::uint64_t>(std::int64_t{in.number<std::int32_t>()});
      function.size = in.number<std::uint32_t>();
      break;
    case kRelativeSigned8:
      function.address = here + in.number<std::uint64_t>();
      function.size = in.number<std::uint64_t>();
      break;
    case kAbsolute4:
      function.address = in.number<std::uint32_t>();
      function.size = in.number<std::uint32_t>();
      break;
    case kAbsolute8:
      function.address = in.number<std::uint64_t>();
      function.size = in.number<std::uint64_t>();
      break;
    default:
      return false;
  }
  if (common_->augmented) in.take(in.unsigned_leb());
  if (!in.ok() || function.size == 0 || !file_.executable(function.address, function.size)) return false;
  function.common = &*common_;
  function.instructions = in.rest();
  return true;
}

bool EhFrame::next(FunctionFrame& function) {
  const std::string_view bytes(table_);
  while (at_ + 8 <= bytes.size()) {
    std::uint32_t length = 0, id = 0;
    std::memcpy(&length, bytes.data() + at_, 4);
    std::memcpy(&id, bytes.data() + at_ + 4, 4);
    // All ones are a 64-bit length, which is not used here in practice.
    if (length == 0xffffffff || length > bytes.size() - at_ - 4) break;
    if (length < 4) {  // the end of what one object file brought
      at_ += 4;
      continue;
    }
    const std::uint64_t body = at_ + 8, end = at_ + 4 + length;
    at_ = end;
    if (id == 0 || id > body - 4) continue;
    const std::uint64_t common = body - 4 - id;
    if (common != known_at_) {
      known_at_ = common;
      common_ = common_at(common);
    }
    if (common_ && read(body, end, function)) return true;
  }
  at_ = bytes.size();
  return false;
}

}  // namespace tailcap::capture::symbols
