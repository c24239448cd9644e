// The service of bench/planted in Node.
const http = require('http');
const net = require('net');

const options = Object.fromEntries(process.argv.slice(3).map((word) => word.split('=')));
const number = (name) => Number(options[name] || 0);
const [calls, connects, queries, errors, spin, bytes, leak, tail, slow, failing] =
  ['calls', 'connects', 'queries', 'errors', 'spin', 'bytes', 'leak', 'tail', 'slow', 'failing'].map(number);
const [host, port] = options.stock.split(':');
const kept = new http.Agent({ keepAlive: true, maxSockets: 64 });
const body = 'x'.repeat(bytes);
const held = [];
let served = 0;

// Every twentieth request waits for about `tail` ms, every hundredth for `slow` ms.
const wait = (n) => {
  const milliseconds = n % 20 === 0 ? tail * (0.9 + n * 0.0309 % 0.2) : n % 100 === 50 ? slow : 0;
  return milliseconds ? new Promise((done) => setTimeout(done, milliseconds)) : undefined;
};

const call = (agent, n) => new Promise((done) => {
  const path = failing && n % 100 === 0 ? '/error' : '/stock/shirts';
  http.get({ host, port, path, agent }, (answer) => answer.on('end', done).resume());
});

// Idle connections to Redis; each carries one question at a time.
const idle = [];
const query = () => new Promise((done) => {
  const [redisHost, redisPort] = options.redis.split(':');
  const connection = idle.pop() || net.connect(Number(redisPort), redisHost);
  connection.once('data', () => { idle.push(connection); done(); });
  connection.write('*2\r\n$3\r\nGET\r\n$1\r\na\r\n');
});

http.createServer(async (request, answer) => {
  const n = ++served;
  for (let i = 0; i < calls; ++i) await call(kept, n);
  for (let i = 0; i < connects; ++i) await call(false, n);
  for (let i = 0; i < queries; ++i) await query();
  const began = process.cpuUsage();
  for (;;) {
    const used = process.cpuUsage(began);
    if (used.user + used.system >= spin) break;
  }
  if (leak) held.push(Buffer.alloc(leak, 1));
  await wait(n);
  answer.writeHead(errors && n % 100 === 0 ? 500 : 200, { 'Content-Length': bytes });
  answer.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
