// Requests as an HTTP Archive, version 1.2 (http://www.softwareishard.com/blog/har-12-spec/).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/model/columns/facts.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

struct HarEntry {
  const model::columns::ColumnFacts& facts;
  std::int64_t start = 0;                   // ns since 1970
  std::string_view server;                  // the server's endpoint
  const model::Headers* request = nullptr;  // nullptr: none were seen
  const model::Headers* response = nullptr;
};

// Whether an entry can say what it must: method, target, host and duration are known.
bool fits_har(const model::RequestTable& table, const model::Request& row);

class Har {
 public:
  Har(std::string& out, std::string_view version);
  void add(const HarEntry& entry);  // by start
  void end();

 private:
  std::string& out_;
  JsonWriter json_;
};

}  // namespace tailcap::report
