#include "analyze/model/sampling/sample_rate.h"

#include <charconv>
#include <string_view>

#include "ground/recorder_notes.h"

namespace tailcap::model {
namespace {

constexpr std::uint32_t kMost = 10'000;  // that the recorder takes

std::uint32_t rate_in(std::string_view text) {
  std::uint32_t rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  return error == std::errc() && end == text.data() + text.size() && rate <= kMost ? rate : 0;
}

}  // namespace

std::uint32_t sample_rate(const formats::Preamble& preamble) {
  std::uint32_t noted = 0, asked = 0;
  for (const auto& [key, value] : preamble.notes) {
    if (key.starts_with("merge.")) return 0;  // other machines may have had another
    if (key == ground::kSampleRateNote) noted = rate_in(value);
  }
  if (noted != 0) return noted;
  constexpr std::string_view kOption = "--sample";
  for (std::size_t i = 0; i < preamble.command_line.size(); ++i) {
    const std::string_view word = preamble.command_line[i];
    if (word == kOption && i + 1 < preamble.command_line.size())
      asked = rate_in(preamble.command_line[i + 1]);
    else if (word.starts_with(kOption) && word.substr(kOption.size()).starts_with("="))
      asked = rate_in(word.substr(kOption.size() + 1));
  }
  return asked;
}

}  // namespace tailcap::model
