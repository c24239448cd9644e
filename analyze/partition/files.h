// Which calls on files were a request's: those that began while the thread that made them carried it, in Go those of
// the goroutine that answers it. On an event loop those in its turn, if the loop had no other request under way;
// otherwise it is not known whose they were.
#pragma once

#include "analyze/model/study/file_calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

// The draft knows who carried it.
model::FileCalls files_of(const DraftContext& k, const Draft& draft);

}  // namespace tailcap::partition
