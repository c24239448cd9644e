// The share of connections that is recorded, while it changes: files begin anew with each change of what is recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "capture/output/destination.h"
#include "capture/probes/probes.h"
#include "formats/time.h"

namespace tailcap::capture::budget {

class Share {
 public:
  // What a change needs of the recording.
  struct Recording {
    std::function<void()> drain;                  // all that the rings hold goes to the writer
    std::function<void(formats::Time)> keyframe;  // everything that exists is described
    std::function<void(formats::Time, std::string, std::string)> note;
  };
  Share(Probes& probes, Destination& destination, Recording recording);

  // One connection in this number is recorded; 0: none.
  std::uint32_t of() const { return of_; }
  // From now on one of `of`, perhaps the same. notes(now): written at the beginning of what is recorded with it.
  void change(std::uint32_t of, const std::function<void(formats::Time)>& notes);
  void note(formats::Time now, std::string key, std::string value) const;

 private:
  Probes& probes_;
  Destination& destination_;
  const Recording recording_;
  std::uint32_t of_;
};

}  // namespace tailcap::capture::budget
