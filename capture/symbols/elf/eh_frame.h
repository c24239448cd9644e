// The entries of .eh_frame: which functions a file has and how their callers are found. It survives stripping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

// Reads numbers from bytes that are not trusted. After the first failure all are zero and ok() is false.
class FrameBytes {
 public:
  explicit FrameBytes(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    static_assert(std::is_integral_v<T>);
    T value{};
    const std::string_view from = take(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  std::uint64_t unsigned_leb();
  std::int64_t signed_leb();
  std::string_view take(std::size_t count);  // empty: there are fewer
  std::string_view text();                   // up to a zero

  std::string_view rest() const { return bytes_; }

  bool ok() const { return ok_; }
  bool done() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

// What several functions have in common (CIE).
struct CommonFrame {
  std::uint8_t encoding = 0;  // of addresses: DW_EH_PE_…
  bool augmented = false;     // data for exceptions precede the instructions of a function
  bool signal = false;        // its caller was interrupted, it did not call
  std::uint64_t code_step = 1;
  std::int64_t data_step = 1;
  std::uint64_t return_register = 16;
  std::string_view instructions;
};

// A function, or a part of one (FDE).
struct FunctionFrame {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  const CommonFrame* common = nullptr;  // valid until next()
  std::string_view instructions;
};

class EhFrame {
 public:
  explicit EhFrame(const ElfFile& file);  // must outlive this

  // In the order of the file, in executable segments only; entries in encodings that no compiler uses are left out.
  bool next(FunctionFrame& function);

 private:
  std::optional<CommonFrame> common_at(std::uint64_t at) const;
  bool read(std::uint64_t body, std::uint64_t end, FunctionFrame& function) const;

  const ElfFile& file_;
  std::string table_;
  std::uint64_t address_ = 0;  // of the table
  std::uint64_t at_ = 0;
  std::uint64_t known_at_ = ~std::uint64_t{0};  // of common_: neighbours share it
  std::optional<CommonFrame> common_;
};

}  // namespace tailcap::capture::symbols
