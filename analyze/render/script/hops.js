// A request with all that it called: both ends of a connection are one hop.
const kHops = 200, kDeep = 12;

// The root and everything below it, in order of start: depth, client and server rows (null: not known), whether
// the one above waited for it.
function hopsOf(data, row) {
  const out = [], seen = new Set();
  const visit = (one, depth) => {
    if (seen.has(one) || out.length >= kHops || depth > kDeep) return;
    const other = data.peer(one), client = data.value("role", one) === "client";
    seen.add(one);
    if (other !== null) seen.add(other);
    const hop = { depth, client: client ? one : other, server: client ? other : one, onPath: data.onPath.get(data.id(client ? one : other ?? one)) ?? null };
    out.push(hop);
    const below = [hop.client, hop.server].filter(r => r !== null).flatMap(r => data.children.get(data.id(r)) ?? []);
    for (const call of below.sort((a, b) => data.start[a] - data.start[b])) visit(call, depth + 1);
  };
  visit(row, 0);
  return out;
}
const outer = hop => hop.client ?? hop.server;
const inner = hop => hop.server ?? hop.client;
