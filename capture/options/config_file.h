// A configuration file in TOML: options by their long names, as on the command line.
//
//   service = ["shop", "payments"]
//   last = "60s"
//   add = "files"
//   keep-keys = true
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <string>
#include <string_view>

namespace tailcap::capture {

// What a command line with the same options would be. text: the file's content; shown: what messages call it. A value
// is a string, a number, or an array of these; options without a value are true or false. Throws UsageError, with the
// line, where it is not TOML, an option is not in `known` or in a file makes no sense, or has another kind of value.
boost::program_options::parsed_options parse_config(std::string_view text, const std::string& shown,
                                                    const boost::program_options::options_description& known);

}  // namespace tailcap::capture
