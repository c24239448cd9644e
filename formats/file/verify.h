// Verifies a file block by block, for `tailcap check` and `tailcap recover`.
#pragma once

#include <vector>

#include "formats/file/block_index.h"
#include "formats/file/block_writer.h"
#include "formats/file/reader.h"

namespace tailcap::formats::file {

// One status per block and gap, in file order. Sound blocks, footers aside, are copied to `copy_to` if there is one.
// workers: that load blocks ahead, where nothing is copied.
std::vector<BlockStatus> verify(const InputFile& file, const BlockIndex& index, BlockWriter* copy_to,
                                unsigned workers = 0);

// As many of them as help where `threads` are asked for; 0: as there are CPUs. One thread needs none.
unsigned workers_for(unsigned threads);

// What the index says of a block, or a gap.
BlockStatus status_of(const IndexEntry& entry);

}  // namespace tailcap::formats::file
