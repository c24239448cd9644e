// Bytes that the user wants to keep in addition to the defaults.
#pragma once

#include <string>
#include <vector>

namespace tailcap::capture::mask {

struct Keep {
  bool everything = false;           // --payload-raw: all bytes as they were on the wire
  bool header_values = false;        // --unsafe-headers: the values of all header fields
  bool arguments = false;            // --keep-arguments: command lines with their arguments
  bool all_queries = false;          // --keep-query all
  bool statements = false;           // --keep-statements: SQL with its literals
  bool keys = false;                 // --keep-keys: whole keys of caches
  std::vector<std::string> headers;  // --keep-header, in lower case
  std::vector<std::string> queries;  // --keep-query
};

}  // namespace tailcap::capture::mask
