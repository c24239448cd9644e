// Makes events of the columns of a block. The columns are checked for their lengths only: their contents are hostile.
#pragma once

#include <vector>

#include "formats/block.h"
#include "formats/columns/columns.h"
#include "formats/event.h"
#include "formats/event_choice.h"

namespace tailcap::formats::columns {

// Appends the events to `out`; views in them point to columns.bytes. Dense columns have an entry for every event of
// their kind or none at all. Returns why the block is damaged (out is then of no use), or nullptr.
const char* events_from(const BlockColumns<ColumnView>& columns, const BlockHeader& header, std::vector<Event>& out);
// Gives `choice` the events that it wants, up to where the block is found to be damaged. What is passed over is checked
// only as far as other events depend on it.
const char* choose_events(const BlockColumns<ColumnView>& columns, const BlockHeader& header, EventChoice& choice);

}  // namespace tailcap::formats::columns
