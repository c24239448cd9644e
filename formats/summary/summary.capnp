# What a .tcs file holds, in one zstd frame behind its header. What it means: formats/FORMAT.md.
#
# Additive only: a field is never renumbered, retyped or given another default. Absent means what the default says.
@0xb7e0d6a6c8a0f3d1;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("tailcap::formats::schema");

struct SummaryFile {
  windowNs @0 :Int64;
  texts @1 :List(Text);              # all names; other members are places in it
  captures @2 :List(Capture);
  environment @3 :List(Fact);
  windows @4 :List(Window);
  deployments @5 :List(Deployment);

  struct Capture {
    id @0 :UInt32;
    host @1 :UInt32;
    began @2 :Int64;                 # ns since 1970
    ended @3 :Int64;
    lost @4 :UInt64;
    incomplete @5 :Bool;
  }

  struct Fact {
    name @0 :UInt32;
    value @1 :UInt32;
  }

  struct Deployment {                # a note "deploy" or "version" of a recording of the service
    service @0 :UInt32;
    host @1 :UInt32;
    name @2 :UInt32;
    value @3 :UInt32;
    at @4 :Int64;                    # ns since 1970
  }

  struct Window {
    start @0 :Int64;                 # ns since 1970, a multiple of windowNs
    covered @1 :UInt64;              # ns
    routes @2 :List(Route);
    edges @3 :List(Call);            # of: from and to
    statements @4 :List(Call);       # of: store and statement
    functions @5 :List(Function);
  }

  struct Route {
    service @0 :UInt32;
    role @1 :UInt32;
    method @2 :UInt32;
    route @3 :UInt32;
    requests @4 :UInt64;
    judged @5 :UInt64;
    failed @6 :UInt64;
    clientErrors @7 :UInt64;
    durations @8 :List(Data);        # sketches by the status' first digit; 0: no status
    labels @9 :List(Label);
  }

  struct Label {
    name @0 :UInt32;
    times @1 :Data;                  # a sketch
  }

  struct Call {
    of @0 :UInt32;
    to @1 :UInt32;
    requests @2 :UInt64;
    failed @3 :UInt64;
    durations @4 :Data;
  }

  struct Function {
    service @0 :UInt32;
    function @1 :UInt32;
    waited @2 :Bool;
    amount @3 :UInt64;               # samples; where it waited, ns
  }
}
