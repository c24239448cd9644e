// What looks like the provisional number of a request (model::kProvisional) in a text. Other numbers may look like one.
#pragma once

#include <regex>
#include <set>
#include <string>

#include "analyze/model/wire/exchange.h"

namespace tailcap {

inline std::set<model::ExchangeId> provisional_numbers(const std::string& text) {
  static const std::regex kNumber(R"((\d{1,9})\.(\d{10})(?!\d))");
  std::set<model::ExchangeId> out;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), kNumber); at != std::sregex_iterator(); ++at)
    if (const auto index = std::stoull((*at)[2]); index > model::kProvisional && index <= UINT32_MAX)
      out.insert({static_cast<std::uint32_t>(std::stoul((*at)[1])), static_cast<std::uint32_t>(index)});
  return out;
}

}  // namespace tailcap
