#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "formats/file/block_index.h"
#include "formats/file/block_writer.h"
#include "formats/file/reader.h"
#include "formats/file/verify.h"
#include "formats/printable.h"

namespace tailcap::formats {

std::vector<BlockStatus> recover(const std::string& in, const std::string& out, bool force) {
  const file::InputFile input(in);
  const file::BlockIndex index = file::index_blocks(input);
  std::error_code error;
  if (std::filesystem::equivalent(in, out, error))
    throw std::runtime_error(printable(out) + " is the damaged capture itself; name another file to write");
  // What is recovered is as a rule OUT.partial itself.
  file::BlockWriter writer(out, force, ".recovered.partial");
  auto result = file::verify(input, index, &writer);
  Time last = kNoTime;
  for (const BlockStatus& status : result) {
    if (status.damage.empty()) last = std::max(last, status.last);
  }
  writer.finish(CaptureState::recovered, last);
  return result;
}

}  // namespace tailcap::formats
