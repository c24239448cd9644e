// Verifies a file block by block, for `tailcap check` and `tailcap recover`.
#pragma once

#include <vector>

#include "formats/file/block_index.h"
#include "formats/file/block_writer.h"
#include "formats/file/reader.h"

namespace tailcap::formats::file {

// One status per block and gap, in file order. Sound blocks, footers aside, are copied to `copy_to` if there is one.
std::vector<BlockStatus> verify(const InputFile& file, const BlockIndex& index, BlockWriter* copy_to);

}  // namespace tailcap::formats::file
