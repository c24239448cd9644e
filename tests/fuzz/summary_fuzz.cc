// Summaries of any bytes: the file as it is, and the message behind a sound header. What is read is written again, with
// the same bytes where it was a file.
#include <cstring>
#include <vector>

#include "formats/summary/summary_file.h"
#include "formats/summary/summary_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap::formats;
  Summary summary, again;
  if (decode_summary(std::as_bytes(std::span(data, size)), summary).empty()) {
    const std::string bytes = encode_summary(summary);
    if (!decode_summary(std::as_bytes(std::span(bytes)), again).empty() || !(again == summary)) std::abort();
  }
  std::vector<std::uint64_t> message(size / 8);
  if (!message.empty()) std::memcpy(message.data(), data, message.size() * 8);
  Summary other;
  if (!read_summary_message(message, other).empty()) return 0;
  Summary back;
  if (!read_summary_message(summary_message(other), back).empty() || !(back == other)) std::abort();
  return 0;
}
