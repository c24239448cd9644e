// Makes events of the columns of a block. The columns are checked for their lengths only: their contents are hostile.
#pragma once

#include <vector>

#include "formats/block.h"
#include "formats/columns/columns.h"
#include "formats/event.h"

namespace tailcap::formats::columns {

// Appends the events to `out`; views in them point to columns.bytes. Dense columns have an entry for every event of
// their kind or none at all. Returns why the block is damaged (out is then of no use), or nullptr.
const char* events_from(const BlockColumns<ColumnView>& columns, const BlockHeader& header, std::vector<Event>& out);

}  // namespace tailcap::formats::columns
