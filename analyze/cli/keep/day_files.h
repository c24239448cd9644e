// A folder with one summary a day (UTC), YYYY-MM-DD.tcs, to which the files of recordings are added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/summary/summary.h"

namespace tailcap::cli {

struct DayBounds {
  std::size_t days = 62;                // the newest ones
  std::uint64_t bytes = 1'000'000'000;  // of all of them; the newest day stays
};

// Several processes may use one folder: each change is made under its lock. A day's file is replaced as a whole.
class DayFiles {
 public:
  // Makes the folder where it does not exist. Throws std::runtime_error.
  DayFiles(std::string folder, DayBounds bounds);

  // Adds to each day what that does not have yet: a part that was added before stays as it is. file: what it was made
  // of; the summaries get its permissions. False: all of it was there. Throws std::runtime_error: a day's file cannot
  // be read or written, or the sum would be too large.
  bool add(formats::Summary&& part, const std::string& file) const;
  // The latest moment before `time` up to which the recording with this id was added; none: the folder has nothing of
  // it.
  std::optional<std::int64_t> added_until(const std::string& id, std::int64_t time) const;
  // How many files of the recording with this id were added, or given up.
  std::uint64_t files_of(const std::string& id) const;
  void set_files_of(const std::string& id, std::uint64_t number) const;
  // Keeps the bounds. Returns the names of the files that were removed.
  std::vector<std::string> remove_oldest() const;

 private:
  std::vector<std::string> names() const;  // of the days, ascending
  std::string path_of(const std::string& name) const;

  const std::string folder_;
  const DayBounds bounds_;
};

}  // namespace tailcap::cli
