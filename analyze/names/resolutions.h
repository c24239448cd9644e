// Questions and answers of lookups in, names that were asked for in vain out.
//
// A resolver asks several questions for one name: for both families, again after an error, and with each suffix of its
// search list. They are one resolution while its thread does nothing else meanwhile; in Go, where a process asks for a
// name once at a time, the questions of its goroutines for it. It failed where no answer has what was asked for. Where
// events were lost, no name is said to have failed.
#pragma once

#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/wire/lookup.h"

namespace tailcap::names {

class Resolutions {
 public:
  // A question was sent, also where it was sent before.
  void asked(const model::Lookup& question, formats::Time at);
  // A lookup has an answer, or is given up.
  void ended(const model::Lookup& lookup, formats::Time at);
  // An answer to a question that was not seen.
  void stray(const formats::Thread& reader, const std::string& name);
  // It moved bytes of something else.
  void moved(const formats::Thread& thread);
  // Events were lost until now.
  void lost();
  // Once for each event, before it: what has failed by then. end: the recording is over.
  void advance(formats::Time now, bool end, std::vector<model::FailedName>& out);
  bool empty() const { return open_.empty() && failed_.empty(); }

 private:
  struct Question {
    model::Lookup lookup;
    bool waiting = true;
  };
  struct Resolution {
    model::Thread asker;
    std::vector<Question> questions;  // one for each name and type
    formats::Time began = model::kNoTime, last = model::kNoTime;
    std::size_t waiting = 0;
    bool found = false;    // it has what was asked for
    bool unknown = false;  // it may have it
  };
  struct Failed {
    model::FailedName name;
    formats::Time since = model::kNoTime;
  };
  using Place = std::list<Resolution>::iterator;

  Place find(const formats::Thread& thread, std::uint64_t goroutine, const std::string& name);
  Question* question(Resolution& of, const model::Lookup& lookup);
  bool another(const Resolution& of, const model::Lookup& question) const;
  Place conclude(Place place, formats::Time at);
  void fail(const Resolution& of, const std::string& name, std::span<const Question* const> questions,
            formats::Time at);

  std::list<Resolution> open_;                              // in order of their beginning
  std::unordered_map<std::uint32_t, std::size_t> threads_;  // of those: how many by tid
  std::list<Failed> failed_;                                // losses may still be counted that make them unknown
  formats::Time due_ = formats::kMaxTime;                   // nothing is to be done before
};

}  // namespace tailcap::names
