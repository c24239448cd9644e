#include "analyze/views/file/interfaces.h"

#include <algorithm>

#include "analyze/report/json/shape.h"
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

struct Interfaces::Json {
  template <class T>
  using Of = report::Shape<T, Json>;
  using One = std::pair<const Key, Interface>;
  const Interfaces& all;
  const model::WallClock& clock;

  static auto link(auto model::Link::*member) {
    return [member](const One& one) { return one.second.last.*member; };
  }
  static auto link_or_null(auto model::Link::*member) { return report::or_null(link(member)); }
  static std::set<std::string> addresses(const One& one, const Json& c) {
    const model::Link& link = one.second.last;
    const auto found = c.all.addresses_.find({link.net_namespace, link.name});
    return found == c.all.addresses_.end() ? std::set<std::string>() : found->second;
  }

  static const Of<Interfaces>& document() {
    using model::Link;
    static const Of<Change> change{"change",
                                   {
                                       {"at_ns", &Change::time},
                                       {"what", &Change::what, "a name of these"},
                                       {"from", &Change::from},
                                       {"to", &Change::to},
                                   }};
    static const Of<One> row{
        "interface",
        {{"net_namespace", link(&Link::net_namespace)},
         {"of_recorder", [](auto& one, auto& c) { return c.all.own_.contains(one.second.last.net_namespace); }},
         {"index", link(&Link::index)},
         {"name", link(&Link::name)},
         {"type", link_or_null(&Link::type)},
         {"mtu", link(&Link::mtu)},
         {"up", link(&Link::up)},
         {"gone", link(&Link::gone)},
         {"master_index", link_or_null(&Link::master)},
         {"master",
          [](auto& one, auto& c) {
            return report::OrNull{c.all.name_in(one.second.last.net_namespace, one.second.last.master)};
          }},
         {"peer_index", link_or_null(&Link::peer)},
         {"peer_namespace", link_or_null(&Link::peer_namespace)},
         {"peer",
          [](auto& one, auto& c) {
            const Link& l = one.second.last;
            return report::OrNull{l.peer_namespace != 0 ? c.all.name_in(l.peer_namespace, l.peer) : ""};
          }},
         {"addresses", addresses},
         {"changes", change, report::Refer{[](auto& one) { return &one.second.changes; }}},
         {"more_changes", [](auto& one) { return one.second.more_changes; }}}};
    static const Of<Interfaces> shape{
        "interfaces",
        {
            {"schema", [](auto&) { return report::kJsonSchema; }, "", {.is = report::kJsonSchema}},
            {"recorded", [](auto& all) { return !all.interfaces_.empty(); }},
            {"not_read", [](auto& all) { return report::OrNull{all.left_out_}; }},
            {"interfaces", row, report::Refer{[](auto& all) { return &all.interfaces_; }}},
        }};
    return shape;
  }
};

std::string Interfaces::json() const { return report::json_of(Json::document(), *this, Json{*this, clock_}); }
const report::Description& Interfaces::description() { return Json::document(); }

}  // namespace tailcap::views
