#include "formats/summary/summary_message.h"

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstring>
#include <map>
#include <stdexcept>
#include <string_view>

#include "formats/summary/packed_sketch.h"
#include "formats/summary/summary.capnp.h"

namespace tailcap::formats {
namespace {

constexpr int kSummaryNesting = 16;
constexpr std::uint64_t kMostNameBytes = 512u << 20;  // of all keys of all windows

// Names, each once, in the order of their bytes.
class NameTable {
 public:
  void note(std::string_view text) { places_.try_emplace(text, 0); }
  void number() {
    std::uint32_t n = 0;
    for (auto& [text, place] : places_) place = n++;
  }
  std::uint32_t of(std::string_view text) const { return places_.at(text); }
  const std::map<std::string_view, std::uint32_t>& all() const { return places_; }

 private:
  std::map<std::string_view, std::uint32_t> places_;
};

NameTable names_in(const Summary& s) {
  NameTable out;
  for (const SummarisedCapture& c : s.captures) out.note(c.id), out.note(c.host);
  for (const auto& [name, value] : s.environment) out.note(name), out.note(value);
  for (const SummaryDeployment& d : s.deployments)
    for (const std::string& text : {std::cref(d.service), std::cref(d.host), std::cref(d.name), std::cref(d.value)})
      out.note(text);
  for (const auto& [start, w] : s.windows) {
    for (const auto& [r, cell] : w.routes) {
      for (const std::string& text : {std::cref(r.service), std::cref(r.role), std::cref(r.method), std::cref(r.route)})
        out.note(text);
      for (const auto& [label, sketch] : cell.labels) out.note(label);
    }
    for (const auto& [e, cell] : w.edges) out.note(e.from), out.note(e.to);
    for (const auto& [x, cell] : w.statements) out.note(x.store), out.note(x.statement);
    for (const auto& [f, n] : w.functions) out.note(f.service), out.note(f.function);
  }
  out.number();
  return out;
}

kj::ArrayPtr<const kj::byte> bytes_of(const std::string& text) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}

class SummaryWriter {
 public:
  SummaryWriter(const Summary& summary, schema::SummaryFile::Builder to) : names_(names_in(summary)) {
    to.setWindowNs(summary.window);
    auto texts = to.initTexts(static_cast<unsigned>(names_.all().size()));
    for (const auto& [text, place] : names_.all()) {
      auto one = texts.init(place, static_cast<unsigned>(text.size()));
      std::memcpy(one.begin(), text.data(), text.size());
    }
    write(summary.captures, to.initCaptures(size(summary.captures)), [&](const SummarisedCapture& c, auto out) {
      out.setId(names_.of(c.id));
      out.setHost(names_.of(c.host));
      out.setBegan(c.began);
      out.setEnded(c.ended);
      out.setLost(c.lost);
      out.setIncomplete(!c.whole);
    });
    write(summary.environment, to.initEnvironment(size(summary.environment)), [&](const auto& fact, auto out) {
      out.setName(names_.of(fact.first));
      out.setValue(names_.of(fact.second));
    });
    if (!summary.deployments.empty())
      write(summary.deployments, to.initDeployments(size(summary.deployments)),
            [&](const SummaryDeployment& d, auto out) {
              out.setService(names_.of(d.service));
              out.setHost(names_.of(d.host));
              out.setName(names_.of(d.name));
              out.setValue(names_.of(d.value));
              out.setAt(d.at);
            });
    write(summary.windows, to.initWindows(size(summary.windows)), [&](const auto& one, auto out) {
      out.setStart(one.first);
      write_window(one.second, out);
    });
  }

 private:
  template <class Range>
  static unsigned size(const Range& range) {
    return static_cast<unsigned>(range.size());
  }
  template <class Range, class List, class Put>
  static void write(const Range& range, List list, Put put) {
    unsigned i = 0;
    for (const auto& one : range) put(one, list[i++]);
  }

  void write_window(const SummaryWindow& w, schema::SummaryFile::Window::Builder to) {
    to.setCovered(w.covered);
    write(w.routes, to.initRoutes(size(w.routes)), [&](const auto& one, auto out) { write_route(one, out); });
    write(w.edges, to.initEdges(size(w.edges)),
          [&](const auto& one, auto out) { write_call(one.first.from, one.first.to, one.second, out); });
    write(w.statements, to.initStatements(size(w.statements)),
          [&](const auto& one, auto out) { write_call(one.first.store, one.first.statement, one.second, out); });
    write(w.functions, to.initFunctions(size(w.functions)), [&](const auto& one, auto out) {
      out.setService(names_.of(one.first.service));
      out.setFunction(names_.of(one.first.function));
      out.setWaited(one.first.waited);
      out.setAmount(one.second);
    });
  }

  void write_route(const std::pair<const SummaryRoute, RouteCell>& one, schema::SummaryFile::Route::Builder to) {
    const auto& [route, cell] = one;
    to.setService(names_.of(route.service));
    to.setRole(names_.of(route.role));
    to.setMethod(names_.of(route.method));
    to.setRoute(names_.of(route.route));
    to.setRequests(cell.requests);
    to.setJudged(cell.judged);
    to.setFailed(cell.failed);
    to.setClientErrors(cell.client_errors);
    auto durations = to.initDurations(size(cell.durations));
    for (unsigned i = 0; i < cell.durations.size(); ++i)
      if (!cell.durations[i].empty()) durations.set(i, bytes_of(packed(cell.durations[i])));
    write(cell.labels, to.initLabels(size(cell.labels)), [&](const auto& label, auto out) {
      out.setName(names_.of(label.first));
      out.setTimes(bytes_of(packed(label.second)));
    });
  }

  void write_call(const std::string& of, const std::string& to, const CallCell& cell,
                  schema::SummaryFile::Call::Builder out) {
    out.setOf(names_.of(of));
    out.setTo(names_.of(to));
    out.setRequests(cell.requests);
    out.setFailed(cell.failed);
    out.setDurations(bytes_of(packed(cell.durations)));
  }

  const NameTable names_;
};

// Throws std::runtime_error: why the message is damaged.
class SummaryReader {
 public:
  explicit SummaryReader(schema::SummaryFile::Reader from) {
    for (const auto text : from.getTexts()) {
      require(text.size() <= kMostTextBytes, "a name is too long");
      names_.emplace_back(text.cStr(), text.size());
    }
  }

  void read(schema::SummaryFile::Reader from, Summary& out) {
    out.window = from.getWindowNs();
    require(out.window >= kLeastWindow && out.window <= kMostWindow, "its windows have a length that cannot be");
    require(from.getCaptures().size() <= kMostCaptures, "it has too many captures");
    for (const auto c : from.getCaptures()) {
      SummarisedCapture one{name(c.getId()), name(c.getHost()), c.getBegan(),
                            c.getEnded(),    c.getLost(),       !c.getIncomplete()};
      require(in_time(one.began) && in_time(one.ended) && one.began <= one.ended, "a capture has times that cannot be");
      add_last(out.captures, std::move(one));
    }
    require(from.getEnvironment().size() <= kMostEnvironment + 1, "it has too many facts");
    for (const auto f : from.getEnvironment())
      add_last(out.environment, std::pair(name(f.getName()), name(f.getValue())));
    require(from.getDeployments().size() <= kMostDeployments, "it has too many deployments");
    for (const auto d : from.getDeployments()) {
      require(in_time(d.getAt()), "a deployment has a time that cannot be");
      add_last(out.deployments, SummaryDeployment{d.getAt(), name(d.getService()), name(d.getHost()), name(d.getName()),
                                                  name(d.getValue())});
    }
    require(from.getWindows().size() <= kMostWindows, "it has too many windows");
    for (const auto w : from.getWindows()) {
      require(in_time(w.getStart()) && w.getStart() % out.window == 0, "a window has a time that cannot be");
      read_window(w, add_last(out.windows, std::pair(w.getStart(), SummaryWindow{})));
    }
  }

 private:
  static void require(bool holds, const char* otherwise) {
    if (!holds) throw std::runtime_error(otherwise);
  }
  static bool in_time(std::int64_t t) { return t >= kEarliest && t <= kLatest; }

  // Behind all that are there: order is part of the format.
  template <class Item>
  static void add_last(std::set<Item>& to, Item item) {
    require(to.empty() || *to.rbegin() < item, "its lists are not in order");
    to.insert(to.end(), std::move(item));
  }
  template <class Key, class Value>
  static Value& add_last(std::map<Key, Value>& to, std::pair<Key, Value> item) {
    require(to.empty() || to.rbegin()->first < item.first, "its lists are not in order");
    return to.insert(to.end(), std::move(item))->second;
  }

  const std::string& name(std::uint32_t place) {
    require(place < names_.size(), "a name is not there");
    bytes_ += names_[place].size();
    require(bytes_ <= kMostNameBytes, "it has more names than tailcap reads");
    return names_[place];
  }
  void count(std::size_t cells) {
    require(cells <= kMostNames + 1, "a window has too many names");
    cells_ += cells;
    require(cells_ <= kMostCells, "it has more cells than tailcap reads");
  }
  static DurationSketch sketch(capnp::Data::Reader data) {
    DurationSketch out;
    require(unpack(std::string_view(reinterpret_cast<const char*>(data.begin()), data.size()), out),
            "a sketch is damaged");
    return out;
  }

  void read_window(schema::SummaryFile::Window::Reader from, SummaryWindow& out) {
    out.covered = from.getCovered();
    count(from.getRoutes().size());
    for (const auto r : from.getRoutes()) {
      SummaryRoute key{name(r.getService()), name(r.getRole()), name(r.getMethod()), name(r.getRoute())};
      read_route(r, add_last(out.routes, std::pair(std::move(key), RouteCell{})));
    }
    count(from.getEdges().size());
    for (const auto c : from.getEdges())
      read_call(c, add_last(out.edges, std::pair(SummaryEdge{name(c.getOf()), name(c.getTo())}, CallCell{})));
    count(from.getStatements().size());
    for (const auto c : from.getStatements())
      read_call(c, add_last(out.statements, std::pair(SummaryStatement{name(c.getOf()), name(c.getTo())}, CallCell{})));
    count(from.getFunctions().size());
    for (const auto f : from.getFunctions())
      add_last(out.functions, std::pair(SummaryFunction{name(f.getService()), name(f.getFunction()), f.getWaited()},
                                        std::uint64_t{f.getAmount()}));
  }

  void read_route(schema::SummaryFile::Route::Reader from, RouteCell& out) {
    out.requests = from.getRequests();
    out.judged = from.getJudged();
    out.failed = from.getFailed();
    out.client_errors = from.getClientErrors();
    require(out.judged <= out.requests && out.failed <= out.judged && out.client_errors <= out.judged - out.failed,
            "counts contradict each other");
    const auto durations = from.getDurations();
    require(durations.size() <= out.durations.size(), "a route has too many sketches");
    for (unsigned i = 0; i < durations.size(); ++i) out.durations[i] = sketch(durations[i]);
    const auto labels = from.getLabels();
    require(labels.size() <= kMostLabels, "a route has too many labels");
    for (const auto l : labels) add_last(out.labels, std::pair(std::string(name(l.getName())), sketch(l.getTimes())));
  }

  static void read_call(schema::SummaryFile::Call::Reader from, CallCell& out) {
    out.requests = from.getRequests();
    out.failed = from.getFailed();
    require(out.failed <= out.requests, "counts contradict each other");
    out.durations = sketch(from.getDurations());
  }

  std::vector<std::string> names_;
  std::uint64_t bytes_ = 0;
  std::size_t cells_ = 0;
};

}  // namespace

std::vector<std::uint64_t> summary_message(const Summary& summary) {
  capnp::MallocMessageBuilder message;
  SummaryWriter(summary, message.initRoot<schema::SummaryFile>());
  const auto words = capnp::messageToFlatArray(message.getSegmentsForOutput());
  std::vector<std::uint64_t> out(words.size());
  std::memcpy(out.data(), words.begin(), words.size() * sizeof(capnp::word));
  return out;
}

std::string read_summary_message(const std::vector<std::uint64_t>& message, Summary& out) {
  capnp::ReaderOptions options;
  // Every list is visited three times at most, for its length and for what is in it; a crafted one would be visited
  // more often, since others point to it.
  options.traversalLimitInWords = 4 * message.size() + 1024;
  options.nestingLimit = kSummaryNesting;
  try {
    const auto* words = reinterpret_cast<const capnp::word*>(message.data());
    capnp::FlatArrayMessageReader reader(kj::arrayPtr(words, message.size()), options);
    const auto root = reader.getRoot<schema::SummaryFile>();
    SummaryReader(root).read(root, out);
    return {};
  } catch (const kj::Exception& e) {
    return std::string("Cap'n Proto: ") + e.getDescription().cStr();
  } catch (const std::runtime_error& e) {
    return e.what();
  }
}

}  // namespace tailcap::formats
