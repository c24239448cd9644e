#include "analyze/query/audit/parts.h"

#include "analyze/query/literal.h"
#include "formats/printable.h"

namespace tailcap::query::network {

using formats::printable;
using model::audit::AddressBlock;
using model::audit::Labels;
using model::audit::Selector;

std::vector<const Yaml*> one_or_several(const Yaml& value, const std::string& what, std::size_t most) {
  if (value.kind != Yaml::Kind::list) return {&value};
  std::vector<const Yaml*> out;
  for (const Yaml& item : list(value, what, most)) out.push_back(&item);
  if (out.empty()) fail(value, what + " is empty");
  return out;
}

AddressBlock block_of(const Yaml& value) {
  const std::string& text = scalar(value, "an address or a block like 10.0.0.0/8 is expected here");
  const auto block = model::audit::parse_block(text);
  if (!block) fail(value, "'" + printable(text) + "' is not an address or a block like 10.0.0.0/8");
  return *block;
}

std::uint16_t port_of(const Yaml& value) {
  const std::string& text = scalar(value, "a port is expected here");
  const auto number = parse_number(text);
  if (!number) fail(value, "named ports like '" + printable(text) + "' are not supported: give the number");
  if (*number < 1 || *number > 65535) fail(value, "a port is from 1 to 65535, not " + printable(text));
  return static_cast<std::uint16_t>(*number);
}

Labels labels_of(const Yaml& value) {
  if (value.kind != Yaml::Kind::map) fail(value, "labels are a map, like {app: shop}");
  if (value.entries.size() > kMostLabels) fail(value, "more than 100 labels");
  Labels out;
  for (const auto& [key, text] : value.entries) {
    if (text.kind == Yaml::Kind::list || text.kind == Yaml::Kind::map) fail(text, "the value of a label is a text");
    const std::string& name = scalar(key, "the name of a label is expected here");
    if (!out.emplace(name, text.text).second) fail(key, "'" + printable(name) + "' is given twice");
  }
  return out;
}

Selector selector_of(const Labels& labels) {
  Selector out;
  for (const auto& [key, value] : labels) out.all.push_back({key, model::audit::Requirement::Operator::in, {value}});
  return out;
}

}  // namespace tailcap::query::network
