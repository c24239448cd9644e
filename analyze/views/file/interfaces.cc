#include "analyze/views/file/interfaces.h"

#include <algorithm>

#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "analyze/views/events/event_names.h"
#include "formats/event.h"

namespace tailcap::views {
namespace {

constexpr std::size_t kMaxNote = 200;

// "[::1]" is for what a port follows.
std::string bare(std::string address) {
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return address;
}

std::string yes_or_no(bool value) { return value ? "true" : "false"; }

}  // namespace

void Interfaces::push(const formats::Event& event) {
  if (const auto* clock = std::get_if<formats::ClockSnapshot>(&event.body)) {
    clock_.add(event.time, clock->realtime, clock->uncertainty);
  } else if (const auto* own = std::get_if<formats::NetInterface>(&event.body)) {
    own_.insert(own->net_namespace);
    if (addresses_.size() >= model::LinkTable::kMaxLinks) return;
    auto& addresses = addresses_[{own->net_namespace, std::string(own->name.substr(0, model::kMaxLinkName))}];
    if (addresses.size() < kMaxAddresses)
      addresses.insert(bare(endpoint_of(*own, own->address)) + "/" + std::to_string(own->prefix));
  } else if (const auto* note = std::get_if<formats::Note>(&event.body)) {
    if (note->key == "tailcap.links.left_out") left_out_ = note->value.substr(0, kMaxNote);
  } else if (const auto* link = std::get_if<formats::NetLink>(&event.body)) {
    const Key key(link->net_namespace, link->index);
    const auto at = interfaces_.find(key);
    if (at == interfaces_.end() && interfaces_.size() >= model::LinkTable::kMaxLinks) return;
    model::Link now = model::link_of(*link);
    if (at != interfaces_.end()) note_changes(event.time, now, at->second);
    interfaces_[key].last = std::move(now);
  }
}

void Interfaces::note_changes(formats::Time time, const model::Link& now, Interface& known) {
  const model::Link& before = known.last;
  const auto differ = [&](std::string_view what, std::string from, std::string to) {
    if (from == to) return;
    if (known.changes.size() >= kMaxChanges || changes_ >= kMaxAllChanges) {
      ++known.more_changes;
      return;
    }
    ++changes_;
    known.changes.push_back({time, what, std::move(from), std::move(to)});
  };
  differ("name", before.name, now.name);
  differ("mtu", std::to_string(before.mtu), std::to_string(now.mtu));
  differ("master_index", std::to_string(before.master), std::to_string(now.master));
  differ("peer_index", std::to_string(before.peer), std::to_string(now.peer));
  differ("up", yes_or_no(before.up), yes_or_no(now.up));
  differ("gone", yes_or_no(before.gone), yes_or_no(now.gone));
}

std::string Interfaces::name_in(std::uint32_t net_namespace, std::uint32_t index) const {
  const auto at = index != 0 ? interfaces_.find({net_namespace, index}) : interfaces_.end();
  return at == interfaces_.end() ? "" : at->second.last.name;
}

std::string Interfaces::text() const {
  std::string out;
  std::uint32_t space = 0;
  for (const auto& [key, one] : interfaces_) {
    const model::Link& link = one.last;
    if (out.empty() || space != link.net_namespace) {
      space = link.net_namespace;
      out += (out.empty() ? "" : "\n") + ("network namespace " + std::to_string(space)) +
             (own_.contains(space) ? ", of the recorder" : "") + "\n";
    }
    std::string name = report::printable(link.name);
    name.resize(std::max<std::size_t>(name.size(), 15), ' ');
    out += "  " + name + " " + (link.gone ? "gone" : link.up ? "up  " : "down") + "  MTU " + std::to_string(link.mtu);
    if (!link.type.empty()) out += ", " + report::printable(link.type);
    if (link.master != 0) {
      const std::string master = name_in(link.net_namespace, link.master);
      out += ", in " + (master.empty() ? "interface " + std::to_string(link.master) : report::printable(master));
    }
    if (link.peer != 0) {
      const std::string peer = name_in(link.peer_namespace, link.peer);
      out += ", to " + (peer.empty() ? "interface " + std::to_string(link.peer) : report::printable(peer));
      if (link.peer_namespace == 0)
        out += " of a namespace that was not recorded";
      else if (link.peer_namespace != link.net_namespace)
        out += " in " + std::to_string(link.peer_namespace);
    }
    if (const auto found = addresses_.find({link.net_namespace, link.name}); found != addresses_.end())
      for (const auto& address : found->second) out += ", " + report::printable(address);
    out += "\n";
    for (const Change& change : one.changes)
      out += "      " + std::string(change.what) + " " + report::printable(change.from) + " became " +
             report::printable(change.to) +
             (clock_.known() ? ", " + report::utc_text(clock_.realtime(change.time)) : "") + "\n";
    if (one.more_changes != 0)
      out += "      " + report::count_text(one.more_changes, "more change", "more changes") + "\n";
  }
  if (interfaces_.empty()) out = "The interfaces were not recorded.\n";
  if (!left_out_.empty()) out += "\nnot read: " + report::printable(left_out_) + "\n";
  return out;
}

std::string Interfaces::json() const {
  std::string out;
  report::JsonWriter json(out);
  const auto number_or_null = [&](std::string_view name, std::uint32_t number) {
    json.key(name);
    if (number != 0)
      json.number(std::uint64_t{number});
    else
      json.null();
  };
  json.begin_object();
  json.field("schema", report::kJsonSchema);
  json.field("recorded", !interfaces_.empty());
  json.key("not_read");
  json.text_or_null(left_out_);
  json.key("interfaces");
  json.begin_array();
  for (const auto& [key, one] : interfaces_) {
    const model::Link& link = one.last;
    json.begin_object();
    json.field("net_namespace", link.net_namespace);
    json.field("of_recorder", own_.contains(link.net_namespace));
    json.field("index", link.index);
    json.field("name", link.name);
    json.key("type");
    json.text_or_null(link.type);
    json.field("mtu", link.mtu);
    json.field("up", link.up);
    json.field("gone", link.gone);
    number_or_null("master_index", link.master);
    json.key("master");
    json.text_or_null(name_in(link.net_namespace, link.master));
    number_or_null("peer_index", link.peer);
    number_or_null("peer_namespace", link.peer_namespace);
    json.key("peer");
    json.text_or_null(link.peer_namespace != 0 ? name_in(link.peer_namespace, link.peer) : "");
    json.key("addresses");
    json.begin_array();
    if (const auto found = addresses_.find({link.net_namespace, link.name}); found != addresses_.end())
      for (const auto& address : found->second) json.text(address);
    json.end_array();
    json.key("changes");
    json.begin_array();
    for (const Change& change : one.changes) {
      json.begin_object();
      json.key("at_ns");
      if (clock_.known())
        json.number(clock_.realtime(change.time));
      else
        json.null();
      json.field("what", change.what);
      json.field("from", std::string_view(change.from));
      json.field("to", std::string_view(change.to));
      json.end_object();
    }
    json.end_array();
    json.field("more_changes", one.more_changes);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

}  // namespace tailcap::views
