// A search for many texts at once, in every form in which a program may have written them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tailcap::redact {

class Needles {
 public:
  static constexpr std::size_t kShortest = 8;  // shorter texts are found everywhere

  static constexpr std::size_t kPart = 12;  // bytes: a longer text is found by any part of this length

  enum class Form : std::uint8_t { plain, folded, percent, hex, base64, huffman };
  // One found: which text, in which form, and where the form begins and ends.
  using Found = std::function<void(std::size_t needle, Form form, std::size_t begin, std::size_t end)>;

  // False: too short, or of fewer than four different characters.
  static bool searchable(std::string_view text);

  // The first `whole` texts are searched for in every form, the others as they are and in other capitals.
  Needles(const std::vector<std::string>& texts, std::size_t whole);
  void search(std::string_view in, const Found& found) const;

 private:
  struct Variant {
    std::string bytes;
    std::uint32_t needle;
    Form form;
  };
  void pass(std::string_view in, bool folded, const Found& found) const;
  void add(std::string bytes, std::size_t needle, Form form);

  const std::vector<std::string>& texts_;  // as given, which must stay
  std::vector<Variant> variants_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_beginning_;
  std::vector<std::uint64_t> filter_;  // bits of the beginnings that there are
};

std::string_view name_of(Needles::Form form);

}  // namespace tailcap::redact
