#include "analyze/views/export/whole_capture.h"

#include <stdexcept>

#include "analyze/model/study/cut_note.h"
#include "analyze/report/words/escape.h"

namespace tailcap::views {

void require_one_of_many(const std::string& file, const model::Quality& quality) {
  if (quality.preamble.capture_id.empty())
    throw std::runtime_error(report::printable(file) +
                             " has no id, so that its rows could not be distinguished from those of others.");
  if (quality.sampling.some())
    throw std::runtime_error(
        report::printable(file) +
        " records a part of all connections (--sample-connections): sums with others would be wrong.");
  if (model::CutNote::from_notes(quality.preamble.notes))
    throw std::runtime_error(report::printable(file) + " is a part of a capture with the same id. Take that capture.");
}

}  // namespace tailcap::views
